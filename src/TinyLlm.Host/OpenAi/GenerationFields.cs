using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using TinyLlm.Grains.Sessions;

namespace TinyLlm.Host.OpenAi;

/// <summary>What the two generating routes have in common, read from a request.</summary>
internal sealed record GenerationFields
{
    private const int MaxStops = 16;
    private const int MaxStopLength = 256;

    /// <summary>Fields that would change the answer and that nothing here implements, with the value that changes nothing.</summary>
    private static readonly FrozenDictionary<string, object?> Unsupported = new Dictionary<string, object?>
    {
        ["audio"] = null,
        ["best_of"] = 1.0,
        ["chat_template_kwargs"] = null,
        ["echo"] = false,
        ["frequency_penalty"] = 0.0,
        ["function_call"] = "none",
        ["functions"] = null,
        ["logit_bias"] = null,
        ["logprobs"] = false,
        ["min_p"] = 0.0,
        ["modalities"] = null,
        ["n"] = 1.0,
        ["prediction"] = null,
        ["presence_penalty"] = 0.0,
        ["reasoning_effort"] = "none",
        ["repetition_penalty"] = 1.0,
        ["response_format"] = null,
        ["suffix"] = "",
        ["tool_choice"] = "none",
        ["tools"] = null,
        ["top_logprobs"] = 0.0,
        ["web_search_options"] = null,
    }.ToFrozenDictionary();

    public required string Model { get; init; }

    public required bool Stream { get; init; }

    /// <summary>Whether the last chunk of a stream tells the usage.</summary>
    public required bool IncludeUsage { get; init; }

    /// <summary>Whether the choices carry the generated ids, as vLLM's field of this name asks.</summary>
    public required bool ReturnTokenIds { get; init; }

    /// <summary>Everything but the prompt.</summary>
    public required SessionRequest Request { get; init; }

    /// <summary>
    /// Takes the common fields, after the route has taken its own. <paramref name="absentMaxTokens"/> is what the wire gives when the request
    /// names no bound; null is what the context leaves.
    /// </summary>
    public static GenerationFields Read(RequestFields fields, int? absentMaxTokens, out IReadOnlyList<string> ignored)
    {
        long? maxTokens = fields.TakeInteger("max_completion_tokens", 1, int.MaxValue);
        long? olderMaxTokens = fields.TakeInteger("max_tokens", 1, int.MaxValue);
        bool stream = fields.TakeBoolean("stream");
        GenerationFields read = new()
        {
            Model = fields.TakeRequiredString("model"),
            Stream = stream,
            IncludeUsage = ReadIncludeUsage(fields, stream),
            ReturnTokenIds = fields.TakeBoolean("return_token_ids"),
            Request = new SessionRequest
            {
                MaxTokens = (int?)(maxTokens ?? olderMaxTokens) ?? absentMaxTokens,
                Stop = ReadStop(fields),
                Temperature = fields.TakeNumber("temperature", absent: 1, least: 0, most: 2),
                TopP = ReadTopP(fields),
                TopK = (int)Math.Max(0, fields.TakeInteger("top_k", -1, int.MaxValue) ?? 0), // -1 is vLLM's spelling of "all"
                Seed = ReadSeed(fields),
            },
        };
        if (!IsNeutralResponseFormat(fields)) throw RequestFields.Malformed("response_format", "only {\"type\": \"text\"} is supported by this host");
        ignored = fields.Finish(Unsupported);
        return read;
    }

    private static double ReadTopP(RequestFields fields)
    {
        double topP = fields.TakeNumber("top_p", absent: 1, least: 0, most: 1);
        return topP > 0 ? topP : throw RequestFields.Malformed("top_p", "must be above 0 and at most 1");
    }

    private static bool ReadIncludeUsage(RequestFields fields, bool stream)
    {
        if (fields.Take("stream_options") is not { } options) return false;
        if (!stream) throw RequestFields.Malformed("stream_options", "is allowed only with \"stream\": true");
        RequestFields inner = new(options);
        return inner.TakeBoolean("include_usage");
    }

    private static bool IsNeutralResponseFormat(RequestFields fields) =>
        fields.Take("response_format") is not { } format
        || (format.ValueKind == JsonValueKind.Object && format.TryGetProperty("type", out JsonElement type) && type.ValueKind == JsonValueKind.String && type.ValueEquals("text"));

    private static ulong ReadSeed(RequestFields fields)
    {
        if (fields.TakeInteger("seed", long.MinValue, long.MaxValue) is { } seed) return unchecked((ulong)seed);
        Span<byte> random = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(random);
        return BitConverter.ToUInt64(random);
    }

    private static ImmutableArray<string> ReadStop(RequestFields fields)
    {
        if (fields.Take("stop") is not { } value) return [];
        JsonElement[] elements = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];
        if (elements.Length > MaxStops) throw RequestFields.Malformed("stop", $"may have at most {MaxStops} strings");
        ImmutableArray<string>.Builder stops = ImmutableArray.CreateBuilder<string>(elements.Length);
        foreach (JsonElement element in elements)
        {
            string? text = element.ValueKind == JsonValueKind.String ? RequestFields.Text(element, "stop") : null;
            if (text is not { Length: > 0 and <= MaxStopLength }) throw RequestFields.Malformed("stop", $"must be strings of 1 to {MaxStopLength} characters");
            stops.Add(text);
        }
        return stops.MoveToImmutable();
    }
}
