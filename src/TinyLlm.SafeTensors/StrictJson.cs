using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace TinyLlm.SafeTensors;

/// <summary>
/// One pass over untrusted JSON in which the caller says what must come next and everything else is refused. Holds no token but the
/// current one, so memory does not grow with the text; the decoded text that callers keep is charged against one budget.
/// Knows nothing of tensors.
/// </summary>
internal ref struct StrictJson
{
    // The schemas need 3 levels; a level where a scalar belongs is refused before the reader's own bound is reached.
    private const int MaxDepth = 8;

    private readonly ReadOnlySpan<byte> _utf8;
    private readonly string _document;
    private Utf8JsonReader _reader;
    private long _textBytes;

    /// <summary>Checks the encoding and enters the outermost object.</summary>
    /// <param name="utf8">The whole text.</param>
    /// <param name="document">What messages call it: "header" or "index".</param>
    public StrictJson(ReadOnlySpan<byte> utf8, string document)
    {
        _utf8 = utf8;
        _document = document;
        _reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = MaxDepth });
        if (utf8.IsEmpty || utf8[0] != '{')
        {
            string found = utf8.IsEmpty ? "nothing" : $"byte 0x{utf8[0]:x2}";
            throw Refusal.Of(
                SafeTensorsError.HeaderStart, $"the {document} starts with {found}, and must start with '{{' (0x7b): remove what stands before it");
        }
        if (!Utf8.IsValid(utf8))
        {
            throw Refusal.Of(
                SafeTensorsError.InvalidUtf8, $"the {document} is not UTF-8 from byte {FirstInvalid(utf8)} of {utf8.Length} on: encode it as UTF-8");
        }
        Read();
    }

    /// <summary>The bytes after the last token read.</summary>
    public readonly ReadOnlySpan<byte> Rest => _utf8[(int)_reader.BytesConsumed..];

    /// <summary>Moves to the next key of the current object, or past its end (false).</summary>
    public bool NextKey() => Read() == JsonTokenType.PropertyName;

    /// <summary>Moves to the next element of the current array, or past its end (false).</summary>
    public bool NextElement() => Read() != JsonTokenType.EndArray;

    /// <summary>Moves to the value of the current key, which must be of <paramref name="type"/>.</summary>
    public void NextValue(JsonTokenType type, string what, string? tensor = null, string? key = null)
    {
        Read();
        Expect(type, what, tensor, key);
    }

    /// <summary>Moves to the value of the current key, which must be neither object nor array.</summary>
    public void NextScalar(string what, string key)
    {
        if (Read() is JsonTokenType.StartObject or JsonTokenType.StartArray) Expect(JsonTokenType.String, what, tensor: null, key);
    }

    /// <summary>Refuses a current token of another type.</summary>
    public readonly void Expect(JsonTokenType type, string what, string? tensor, string? key = null)
    {
        if (_reader.TokenType == type) return;
        string name = key is null ? what : $"{what} {Printable.Quote(key)}";
        string message = $"{name} is {Describe(_reader.TokenType)}, and must be {Describe(type)}: correct the {_document}";
        throw tensor is null
            ? Refusal.Of(SafeTensorsError.WrongJsonType, message)
            : Refusal.OfTensor(tensor, SafeTensorsError.WrongJsonType, message);
    }

    /// <summary>Whether the current key or string, unescaped, is <paramref name="text"/>.</summary>
    public readonly bool TextEquals(ReadOnlySpan<byte> text)
    {
        if (_reader.ValueIsEscaped) Measure(long.MaxValue, out _);
        return _reader.ValueTextEquals(text);
    }

    /// <summary>The current key or string, charged against the budget of <see cref="SafeTensorsLimits.MaxTextBytes"/>.</summary>
    public string KeepText()
    {
        int utf16Units = 0;
        long utf8Bytes = _reader.ValueIsEscaped ? Measure(SafeTensorsLimits.MaxTextBytes - _textBytes, out utf16Units) : _reader.ValueSpan.Length;
        _textBytes += utf8Bytes;
        if (_textBytes > SafeTensorsLimits.MaxTextBytes)
        {
            throw Refusal.Of(
                SafeTensorsError.TextTooLong,
                $"names and metadata of the {_document} reach {_textBytes} bytes at byte {_reader.TokenStartIndex}, and may have "
                + $"{SafeTensorsLimits.MaxTextBytes}: shorten them, or keep long metadata in a file of its own");
        }
        return _reader.ValueIsEscaped ? JsonText.Decode(_reader.ValueSpan, utf16Units) : Encoding.UTF8.GetString(_reader.ValueSpan);
    }

    /// <summary>The current key or string when it decodes to at most <paramref name="buffer"/>'s length, else its start: not charged.</summary>
    public readonly ReadOnlySpan<char> PeekText(Span<char> buffer)
    {
        int utf16Units;
        if (_reader.ValueIsEscaped) Measure(long.MaxValue, out utf16Units);
        else utf16Units = Encoding.UTF8.GetCharCount(_reader.ValueSpan);
        if (utf16Units <= buffer.Length) return buffer[.._reader.CopyString(buffer)];
        Utf8.ToUtf16(_reader.ValueSpan, buffer, out _, out int written);
        return buffer[..written];
    }

    /// <summary>The current element or value as a plain integer from 0 to <see cref="SafeTensorsLimits.MaxInteger"/>.</summary>
    public readonly long Integer(string what, string tensor)
    {
        Expect(JsonTokenType.Number, what, tensor);
        ReadOnlySpan<byte> digits = _reader.ValueSpan;
        if (digits.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
        {
            throw Refusal.OfTensor(
                tensor, SafeTensorsError.NotAnInteger,
                $"{what} is {Printable.Cut(digits)}, and must be a plain integer from 0 to {SafeTensorsLimits.MaxInteger}: "
                + "write it without sign, fraction and exponent");
        }
        bool parsed = long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long value);
        if (parsed && value <= SafeTensorsLimits.MaxInteger) return value;
        throw Refusal.OfTensor(
            tensor, SafeTensorsError.IntegerTooLarge,
            $"{what} is {Printable.Cut(digits)}, and may be {SafeTensorsLimits.MaxInteger} (2^48 - 1): correct it");
    }

    private JsonTokenType Read()
    {
        try
        {
            _reader.Read();
            return _reader.TokenType;
        }
        catch (JsonException)
        {
            // The reader's own text is not passed on: it quotes the foreign bytes.
            throw Refusal.Of(
                SafeTensorsError.InvalidJson,
                $"the {_document} is not JSON at byte {_reader.BytesConsumed} of {_utf8.Length}: write it anew with a JSON writer");
        }
    }

    private readonly long Measure(long utf8Limit, out int utf16Units)
    {
        if (JsonText.TryMeasure(_reader.ValueSpan, utf8Limit, out long utf8Bytes, out utf16Units)) return utf8Bytes;
        throw Refusal.Of(
            SafeTensorsError.LoneSurrogate,
            $"the {_document}'s text '{Printable.Cut(_reader.ValueSpan)}' at byte {_reader.TokenStartIndex} escapes half of a surrogate pair, "
            + "and must escape both halves: write the character itself");
    }

    private static int FirstInvalid(ReadOnlySpan<byte> utf8)
    {
        int position = 0;
        while (Rune.DecodeFromUtf8(utf8[position..], out _, out int consumed) == OperationStatus.Done) position += consumed;
        return position;
    }

    private static string Describe(JsonTokenType type) => type switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        JsonTokenType.Null => "null",
        _ => "true or false",
    };
}
