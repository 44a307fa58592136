namespace TinyLlm.Grains.Collection;

/// <summary>What one pass removed.</summary>
/// <param name="Versions">Versions that no record named.</param>
/// <param name="Bytes">The bytes of their files.</param>
/// <param name="Temporary">Files that crashed writers and publications had left in the stores.</param>
public sealed record CollectedBytes(int Versions, long Bytes, int Temporary);
