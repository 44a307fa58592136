namespace TinyLlm.Host.Tests;

/// <summary>Tests of what there is once for the process, such as live tensors or its environment: nothing else runs beside them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class RunsAlone
{
    public const string Name = "alone";
}
