namespace TinyLlm.Grains.Tests.Simulation;

/// <summary>What becomes of a request at one silo.</summary>
internal enum SimulatedAnswer
{
    /// <summary>Its model was there.</summary>
    Hit,

    /// <summary>Its model had to be loaded, or is too large for the silo.</summary>
    Missed,

    /// <summary>It is to be asked for elsewhere.</summary>
    Declined,
}
