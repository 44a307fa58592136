using System.Collections.Immutable;

namespace TinyLlm.Cli.Inspection;

/// <summary>One SafeTensors file whose header is valid.</summary>
/// <param name="Name">Its bare name.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Tensors">How many tensors it has.</param>
/// <param name="Parameters">Their elements together.</param>
/// <param name="Dtypes">Elements by dtype.</param>
/// <param name="Metadata">What its header says besides.</param>
internal sealed record InspectedFile(
    string Name, long Bytes, int Tensors, long Parameters, ImmutableSortedDictionary<string, long> Dtypes, ImmutableSortedDictionary<string, string> Metadata);
