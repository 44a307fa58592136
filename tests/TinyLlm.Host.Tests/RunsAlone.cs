namespace TinyLlm.Host.Tests;

/// <summary>Tests that count what is counted once for the process, such as live tensors: nothing else runs beside them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class RunsAlone
{
    public const string Name = "alone";
}
