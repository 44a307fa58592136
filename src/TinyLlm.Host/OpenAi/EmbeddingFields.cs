using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;
using TinyLlm.Grains.Residency;
using TinyLlm.Grains.Sessions;

namespace TinyLlm.Host.OpenAi;

/// <summary>A request for embeddings, read from its fields.</summary>
internal sealed record EmbeddingFields
{
    /// <summary>OpenAI's bound.</summary>
    private const int MaxInputs = 2048;

    /// <summary>Fields that would change the answer and that nothing here implements.</summary>
    private static readonly FrozenDictionary<string, object?> Unsupported = new Dictionary<string, object?> { ["dimensions"] = null }.ToFrozenDictionary();

    public required string Model { get; init; }

    public required ImmutableArray<EmbeddingInput> Inputs { get; init; }

    /// <summary>Whether vectors are written as base64 of their F32 bytes, which OpenAI's clients ask for unless told otherwise.</summary>
    public required bool IsBase64 { get; init; }

    public required KeepAlive? KeepAlive { get; init; }

    public static EmbeddingFields Read(RequestFields fields, out IReadOnlyList<string> ignored)
    {
        EmbeddingFields read = new()
        {
            Model = fields.TakeRequiredString("model"),
            Inputs = ReadInputs(fields.Take("input") ?? throw RequestFields.Malformed("input", "is missing")),
            IsBase64 = fields.TakeString("encoding_format") switch
            {
                null or "float" => false,
                "base64" => true,
                _ => throw RequestFields.Malformed("encoding_format", "must be \"float\" or \"base64\""),
            },
            KeepAlive = KeepAliveField.Read(fields),
        };
        ignored = fields.Finish(Unsupported);
        return read;
    }

    /// <summary>A text, a list of texts, a list of ids, or a list of lists of ids.</summary>
    private static ImmutableArray<EmbeddingInput> ReadInputs(JsonElement input)
    {
        if (input.ValueKind == JsonValueKind.String) return [ReadOne(input, "input")];
        if (input.ValueKind != JsonValueKind.Array || input.GetArrayLength() == 0) throw RequestFields.Malformed("input", "must be a text, a list of texts, a list of token ids, or a list of those");
        if (input[0].ValueKind == JsonValueKind.Number) return [ReadOne(input, "input")];
        if (input.GetArrayLength() > MaxInputs) throw RequestFields.Malformed("input", $"may have at most {MaxInputs} texts");
        return [.. input.EnumerateArray().Select((one, index) => ReadOne(one, $"input[{index}]"))];
    }

    private static EmbeddingInput ReadOne(JsonElement one, string place) => one.ValueKind switch
    {
        JsonValueKind.String => new EmbeddingInput { Text = RequestFields.Text(one, place) },
        JsonValueKind.Array => new EmbeddingInput { Ids = TokenIdsField.Read(one, place) },
        _ => throw RequestFields.Malformed(place, "must be a text or a list of token ids"),
    };
}
