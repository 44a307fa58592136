using System.Collections.Immutable;

namespace TinyLlm.Engine;

/// <summary>A tensor that an architecture expects.</summary>
/// <param name="Name">As Hugging Face transformers saves it.</param>
/// <param name="Shape">Matrices are (out, in).</param>
/// <param name="IsUsed">False: real checkpoints carry it, it repeats what the decoder has elsewhere, and may be absent.</param>
internal sealed record TensorSlot(string Name, ImmutableArray<long> Shape, bool IsUsed = true);
