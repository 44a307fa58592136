using System.Numerics;
using System.Text;
using System.Text.Json;

namespace TinyLlm.SafeTensors.Tests.Fuzzing;

/// <summary>
/// The rules a second time, written to be obvious and without a line of the code under test: the base library's document parser, big integers and
/// a cover found by hopping from end to begin. Slow and hungry.
/// </summary>
internal static class Oracle
{
    private static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static readonly Dictionary<string, int> s_bits = new(StringComparer.Ordinal)
    {
        ["F4"] = 4, ["F6_E2M3"] = 6, ["F6_E3M2"] = 6, ["BOOL"] = 8, ["U8"] = 8, ["I8"] = 8,
        ["F8_E5M2"] = 8, ["F8_E4M3"] = 8, ["F8_E8M0"] = 8, ["F8_E4M3FNUZ"] = 8, ["F8_E5M2FNUZ"] = 8,
        ["I16"] = 16, ["U16"] = 16, ["F16"] = 16, ["BF16"] = 16, ["I32"] = 32, ["U32"] = 32, ["F32"] = 32,
        ["C64"] = 64, ["F64"] = 64, ["I64"] = 64, ["U64"] = 64,
    };

    /// <summary>
    /// What a legal file holds: tensors as text "name|dtype|shape|begin|end" in order of the text, and metadata; null for an illegal file.
    /// </summary>
    public static Contents? Judge(byte[] file)
    {
        if (file.Length < 8) return null;
        BigInteger length = new(file.AsSpan(0, 8), isUnsigned: true);
        if (length > 100_000_000 || length + 8 > file.Length) return null;
        byte[] header = file[8..(8 + (int)length)];
        string text;
        try
        {
            text = s_strictUtf8.GetString(header).TrimEnd(' ');
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
        if (!text.StartsWith('{') || !text.EndsWith('}')) return null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(text, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return Judge(document.RootElement, file.Length - 8 - header.Length);
        }
        catch (Exception refused) when (refused is JsonException or InvalidOperationException or IllegalException)
        {
            // A lone surrogate parses and is an InvalidOperationException when it is read.
            return null;
        }
    }

    private static Contents Judge(JsonElement root, int dataBytes)
    {
        SortedDictionary<string, string> metadata = new(StringComparer.Ordinal);
        List<string> tensors = [];
        Dictionary<BigInteger, BigInteger> endByBegin = [];
        long textBytes = 0;
        foreach (JsonProperty entry in root.EnumerateObject())
        {
            if (entry.Name == "__metadata__")
            {
                foreach (JsonProperty pair in entry.Value.EnumerateObject())
                {
                    metadata.Add(pair.Name, pair.Value.GetString() ?? throw new IllegalException());
                    textBytes += Encoding.UTF8.GetByteCount(pair.Name) + Encoding.UTF8.GetByteCount(metadata[pair.Name]);
                }
                continue;
            }
            textBytes += Encoding.UTF8.GetByteCount(entry.Name);
            Demand(entry.Name.Length > 0);
            Demand(!entry.Name.Contains("..", StringComparison.Ordinal) && !entry.Name.Contains('\0', StringComparison.Ordinal));
            Dictionary<string, JsonElement> fields = entry.Value.EnumerateObject().ToDictionary(field => field.Name, field => field.Value);
            Demand(fields.Count == 3 && fields.ContainsKey("dtype") && fields.ContainsKey("shape") && fields.ContainsKey("data_offsets"));
            BigInteger[] shape = [.. fields["shape"].EnumerateArray().Select(Integer)];
            BigInteger[] offsets = [.. fields["data_offsets"].EnumerateArray().Select(Integer)];
            string dtype = fields["dtype"].GetString() ?? throw new IllegalException();
            Demand(shape.Length <= 8 && offsets.Length == 2 && s_bits.ContainsKey(dtype));
            BigInteger count = 1;
            foreach (BigInteger dimension in shape)
            {
                count *= dimension;
                Demand(count <= ulong.MaxValue);
            }
            Demand(count * s_bits[dtype] <= ulong.MaxValue && count * s_bits[dtype] == 8 * (offsets[1] - offsets[0]));
            // Empty tensors claim nothing; they only have to stand on a border, which is checked below.
            if (offsets[0] != offsets[1]) Demand(endByBegin.TryAdd(offsets[0], offsets[1]));
            tensors.Add($"{entry.Name}|{dtype}|{string.Join(',', shape)}|{offsets[0]}|{offsets[1]}");
            if (offsets[0] == offsets[1]) Demand(offsets[0] <= dataBytes);
        }

        Demand(tensors.Count <= 65_536 && metadata.Count <= 8_192 && textBytes <= 16 * 1024 * 1024);
        HashSet<BigInteger> borders = [0];
        BigInteger covered = 0;
        while (endByBegin.Remove(covered, out BigInteger end)) borders.Add(covered = end);
        Demand(endByBegin.Count == 0 && covered == dataBytes);
        foreach (string tensor in tensors)
        {
            string[] parts = tensor.Split('|');
            Demand(borders.Contains(BigInteger.Parse(parts[^1])));
        }
        tensors.Sort(StringComparer.Ordinal);
        return new Contents(tensors, metadata);
    }

    private static BigInteger Integer(JsonElement element)
    {
        string digits = element.ValueKind == JsonValueKind.Number ? element.GetRawText() : "no number";
        Demand(digits.All(char.IsAsciiDigit));
        BigInteger value = BigInteger.Parse(digits);
        Demand(value < BigInteger.Pow(2, 48));
        return value;
    }

    private static void Demand(bool rule)
    {
        if (!rule) throw new IllegalException();
    }

    internal sealed record Contents(List<string> Tensors, SortedDictionary<string, string> Metadata);

    private sealed class IllegalException : Exception;
}
