namespace TinyLlm.Grains.Placement;

/// <summary>As what a silo is asked to serve a model version. The numbers travel between silos: never change one.</summary>
public enum ServingPlace
{
    /// <summary>It has to, if it can.</summary>
    Any = 0,

    /// <summary>It is where the version belongs, and may decline one that is not worth the room it would take.</summary>
    Home = 1,

    /// <summary>The version's home has declined: it has to, if it can.</summary>
    Overflow = 2,
}
