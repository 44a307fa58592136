using System.Collections.Immutable;

namespace TinyLlm.Engine;

/// <summary>A tensor that an architecture expects.</summary>
/// <param name="Name">As Hugging Face transformers saves it.</param>
/// <param name="Shape">As the configuration implies it.</param>
/// <param name="IsUsed">False: real checkpoints carry it, in any type, it repeats what the decoder has elsewhere, and may be absent.</param>
internal sealed record TensorSlot(string Name, ImmutableArray<long> Shape, bool IsUsed = true);
