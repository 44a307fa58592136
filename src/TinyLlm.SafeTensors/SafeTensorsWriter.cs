using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace TinyLlm.SafeTensors;

/// <summary>
/// Writes what the reader accepts and nothing else: every header is checked by the reader's own rules before a byte is written. The
/// same tensors give the same bytes: metadata sorted by key, tensors from the widest dtype to the narrowest, then by name, so that each
/// begins at a multiple of its element's size, and the header padded with spaces to 8 bytes.
/// </summary>
public static class SafeTensorsWriter
{
    private const int Alignment = 8;

    // The header is read as JSON and never shown as HTML, so text stays text where JSON allows it.
    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the file's bytes from the stream's position on.</summary>
    /// <exception cref="SafeTensorsException">A name, shape, size or amount that the reader would refuse, before the first byte; or a source that
    /// wrote another number of bytes than its tensor has, after it.</exception>
    public static void Write(Stream stream, IReadOnlyList<TensorSource> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(tensors);

        // 1. Order and place the tensors.
        List<Placed> placed = Place(tensors);

        // 2. Build the header and let the reader judge it.
        CheckText(tensors, metadata);
        ReadOnlySpan<byte> header = BuildHeader(placed, metadata).WrittenSpan;
        long dataBytes = placed.Count == 0 ? 0 : placed[^1].End;
        SafeTensorsHeader.Parse(header, SafeTensorsLimits.PrefixBytes + header.Length + dataBytes);

        // 3. Write.
        Span<byte> prefix = stackalloc byte[SafeTensorsLimits.PrefixBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)header.Length);
        stream.Write(prefix);
        stream.Write(header);
        foreach ((TensorSource source, long begin, long end) in placed)
        {
            using ExactLengthStream exact = new(stream, source.Name, end - begin);
            source.WriteTo(exact);
            exact.Complete();
        }
    }

    /// <summary>
    /// Writes a file beside <paramref name="path"/>, brings it to the disk, and renames it: a reader sees the old file or the new one, and
    /// one that has the old one mapped keeps it.
    /// </summary>
    /// <exception cref="SafeTensorsException">As <see cref="Write"/>; nothing is left behind, and an older file stays.</exception>
    public static void WriteFile(string path, IReadOnlyList<TensorSource> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string unfinished = $"{path}.{Guid.NewGuid():n}.tmp";
        try
        {
            using (FileStream stream = new(unfinished, FileMode.CreateNew, FileAccess.Write))
            {
                Write(stream, tensors, metadata);
                stream.Flush(flushToDisk: true);
            }
            File.Move(unfinished, path, overwrite: true);
        }
        catch (SafeTensorsException refused)
        {
            throw refused.InFile(path);
        }
        finally
        {
            File.Delete(unfinished);
        }
    }

    private static List<Placed> Place(IReadOnlyList<TensorSource> tensors)
    {
        List<Placed> placed = new(tensors.Count);
        long end = 0;
        foreach (TensorSource source in tensors.OrderByDescending(tensor => tensor.DType).ThenBy(tensor => tensor.Name, StringComparer.Ordinal))
        {
            long bytes = TensorSize.Bytes(source.Name, source.DType, source.Shape.AsSpan());
            if (source.MemoryBytes is int given && given != bytes)
            {
                throw Refusal.OfTensor(
                    source.Name, SafeTensorsError.SizeMismatch,
                    $"its source has {given} bytes, and shape [{string.Join(", ", source.Shape)}] of {source.DType.WireName()} takes {bytes}: "
                    + "correct shape, dtype or source");
            }
            if (bytes > SafeTensorsLimits.MaxInteger - end)
            {
                throw Refusal.OfTensor(
                    source.Name, SafeTensorsError.IntegerTooLarge,
                    $"would end {bytes} bytes after {end}, and may end at {SafeTensorsLimits.MaxInteger} (2^48 - 1): split the file into shards");
            }
            placed.Add(new Placed(source, end, end + bytes));
            end += bytes;
        }
        return placed;
    }

    /// <summary>Refuses what a JSON writer would change silently (surrogates, a reserved name) or could not hold.</summary>
    private static void CheckText(IReadOnlyList<TensorSource> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        long textBytes = 0;
        foreach (TensorSource source in tensors)
        {
            textBytes += CheckText(source.Name, "a tensor's name");
            if (source.Name == "__metadata__")
                throw Refusal.OfTensor(source.Name, SafeTensorsError.ReservedName, "the name is the metadata block's: rename the tensor");
        }
        foreach ((string key, string value) in metadata ?? new Dictionary<string, string>())
            textBytes += CheckText(key, "a metadata key") + CheckText(value, $"the value of metadata key {Printable.Quote(key)}");
        if (textBytes <= SafeTensorsLimits.MaxTextBytes) return;
        throw Refusal.Of(
            SafeTensorsError.TextTooLong,
            $"names and metadata have {textBytes} bytes, and may have {SafeTensorsLimits.MaxTextBytes}: "
            + "shorten them, or keep long metadata in a file of its own");
    }

    private static long CheckText(string text, string what)
    {
        long utf8Bytes = 0;
        for (ReadOnlySpan<char> rest = text; !rest.IsEmpty;)
        {
            if (Rune.DecodeFromUtf16(rest, out Rune rune, out int consumed) != OperationStatus.Done)
            {
                throw Refusal.Of(
                    SafeTensorsError.LoneSurrogate,
                    $"{what}, {Printable.Quote(text)}, holds half of a surrogate pair at {text.Length - rest.Length}, "
                    + "and must hold both halves: correct it");
            }
            utf8Bytes += rune.Utf8SequenceLength;
            rest = rest[consumed..];
        }
        return utf8Bytes;
    }

    private static ArrayBufferWriter<byte> BuildHeader(List<Placed> placed, IReadOnlyDictionary<string, string>? metadata)
    {
        ArrayBufferWriter<byte> header = new();
        using (Utf8JsonWriter json = new(header, s_json))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 }) WriteMetadata(json, metadata);
            foreach (Placed tensor in placed) WriteTensor(json, tensor);
            json.WriteEndObject();
        }
        int padding = (Alignment - (header.WrittenCount % Alignment)) % Alignment;
        header.Write("        "u8[..padding]);
        return header;
    }

    private static void WriteMetadata(Utf8JsonWriter json, IReadOnlyDictionary<string, string> metadata)
    {
        json.WriteStartObject("__metadata__"u8);
        foreach ((string key, string value) in metadata.OrderBy(static entry => entry.Key, StringComparer.Ordinal)) json.WriteString(key, value);
        json.WriteEndObject();
    }

    private static void WriteTensor(Utf8JsonWriter json, Placed tensor)
    {
        json.WriteStartObject(tensor.Source.Name);
        json.WriteString("dtype"u8, tensor.Source.DType.WireName());
        json.WriteStartArray("shape"u8);
        foreach (long dimension in tensor.Source.Shape) json.WriteNumberValue(dimension);
        json.WriteEndArray();
        json.WriteStartArray("data_offsets"u8);
        json.WriteNumberValue(tensor.Begin);
        json.WriteNumberValue(tensor.End);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private readonly record struct Placed(TensorSource Source, long Begin, long End);
}
