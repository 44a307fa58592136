using System.Text;

namespace TinyLlm.Text.Files;

/// <summary>What a tokenizer.model (SentencePiece's ModelProto) says, checked for form and size only.</summary>
internal sealed class SentencePieceModel
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public enum Kind
    {
        Unigram = 1,
        BytePair = 2,
    }

    public enum PieceType
    {
        Normal = 1,
        Unknown = 2,
        Control = 3,
        UserDefined = 4,
        Unused = 5,
        Byte = 6,
    }

    public List<(VocabularyEntry Entry, PieceType Type)> Pieces { get; } = [];

    public Kind ModelKind { get; private set; } = Kind.Unigram;

    public bool ByteFallback { get; private set; }

    public byte[] CharacterMap { get; private set; } = [];

    public bool AddDummyPrefix { get; private set; } = true;

    public bool RemoveExtraWhitespaces { get; private set; } = true;

    public static SentencePieceModel Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > TokenizerLimits.MaxFileBytes)
        {
            throw new TokenizerFormatException(TokenizerFormatError.TooLarge,
                $"tokenizer.model has {bytes.Length} bytes: at most {TokenizerLimits.MaxFileBytes} are allowed");
        }
        SentencePieceModel model = new();
        ProtobufReader reader = new(bytes);
        while (reader.TryRead(out ProtobufField field))
        {
            switch (field.Number)
            {
                case 1: model.ReadPiece(field.Bytes); break;
                case 2: model.ReadTrainer(field.Bytes); break;
                case 3: model.ReadNormalizer(field.Bytes); break;
            }
        }
        return model.Pieces.Count > 0 ? model : throw Bad("it has no pieces");
    }

    private void ReadPiece(ReadOnlySpan<byte> message)
    {
        if (Pieces.Count == TokenizerLimits.MaxVocabulary)
            throw new TokenizerFormatException(TokenizerFormatError.TooLarge, $"tokenizer.model has more than {TokenizerLimits.MaxVocabulary} pieces");
        string token = "";
        float score = 0;
        PieceType type = PieceType.Normal;
        ProtobufReader reader = new(message);
        while (reader.TryRead(out ProtobufField field))
        {
            switch (field.Number)
            {
                case 1: token = ReadText(field.Bytes); break;
                case 2: score = BitConverter.UInt32BitsToSingle((uint)field.Value); break;
                case 3 when field.Value is >= (ulong)PieceType.Normal and <= (ulong)PieceType.Byte: type = (PieceType)field.Value; break;
                case 3: throw Bad($"piece {Pieces.Count} has the unknown type {field.Value}");
            }
        }
        if (token.Length is 0 or > TokenizerLimits.MaxTokenChars) throw Bad($"piece {Pieces.Count} has {token.Length} characters");
        if (!float.IsFinite(score)) throw Bad($"the score of piece {Pieces.Count} is not finite");
        Pieces.Add((new VocabularyEntry(token, Pieces.Count, score), type));
    }

    private void ReadTrainer(ReadOnlySpan<byte> message)
    {
        ProtobufReader reader = new(message);
        while (reader.TryRead(out ProtobufField field))
        {
            switch (field.Number)
            {
                case 3 when field.Value is (ulong)Kind.Unigram or (ulong)Kind.BytePair: ModelKind = (Kind)field.Value; break;
                case 3: throw new TokenizerFormatException(TokenizerFormatError.UnsupportedModel, $"SentencePiece model type {field.Value} is not supported");
                case 24 when field.Value != 0:
                    throw new TokenizerFormatException(TokenizerFormatError.UnsupportedModel, "'treat_whitespace_as_suffix' is not supported");
                case 35: ByteFallback = field.Value != 0; break;
            }
        }
    }

    private void ReadNormalizer(ReadOnlySpan<byte> message)
    {
        ProtobufReader reader = new(message);
        while (reader.TryRead(out ProtobufField field))
        {
            switch (field.Number)
            {
                case 2: CharacterMap = field.Bytes.ToArray(); break;
                case 3: AddDummyPrefix = field.Value != 0; break;
                case 4: RemoveExtraWhitespaces = field.Value != 0; break;
                case 5 when field.Value == 0:
                    throw new TokenizerFormatException(TokenizerFormatError.UnsupportedNormalizer, "'escape_whitespaces' turned off is not supported");
            }
        }
    }

    private static string ReadText(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return Strict.GetString(utf8);
        }
        catch (DecoderFallbackException e)
        {
            throw new TokenizerFormatException(TokenizerFormatError.BadSentencePiece, "a piece of the SentencePiece model is not UTF-8", e);
        }
    }

    private static TokenizerFormatException Bad(string why) => new(TokenizerFormatError.BadSentencePiece, $"the SentencePiece model is malformed: {why}");
}
