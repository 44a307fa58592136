using System.Text.Json.Serialization;

namespace TinyLlm.Storage;

/// <summary>A key at rest: encrypted by the key that <see cref="By"/> names. Of no use to whoever lacks that one.</summary>
/// <param name="By">The id of the key that encrypted it.</param>
/// <param name="Bytes">What <see cref="KeyWrap"/> made.</param>
public sealed record WrappedKey([property: JsonRequired] string By, [property: JsonRequired] byte[] Bytes);
