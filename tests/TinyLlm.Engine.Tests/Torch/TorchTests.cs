namespace TinyLlm.Engine.Tests;

/// <summary>libtorch counts the live tensors of the whole process, so tests that make tensors run one after the other.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TorchTests
{
    public const string Name = "torch";
}
