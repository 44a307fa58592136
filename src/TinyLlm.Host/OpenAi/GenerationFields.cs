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
    private const int MaxStopIds = 64;

    /// <summary>Each choice takes a place and a cache on the accelerator. OpenAI allows 128, which is more places than a device has here.</summary>
    private const int MaxChoices = 32;

    /// <summary>What OpenAI's /v1/completions does when the request names no bound.</summary>
    private const int LegacyMaxTokens = 16;

    private const double MaxPenalty = 2, MaxRepetitionPenalty = 10;

    /// <summary>Fields that would change the answer and that nothing here implements, with the value that changes nothing.</summary>
    private static readonly FrozenDictionary<string, object?> Unsupported = new Dictionary<string, object?>
    {
        ["allowed_token_ids"] = null,
        ["audio"] = null,
        ["bad_words"] = null,
        ["chat_template_kwargs"] = null,
        ["continue_final_message"] = false,
        ["documents"] = null,
        ["echo"] = false,
        ["function_call"] = "none",
        ["functions"] = null,
        ["guided_choice"] = null,
        ["guided_grammar"] = null,
        ["guided_json"] = null,
        ["guided_regex"] = null,
        ["include_stop_str_in_output"] = false,
        ["length_penalty"] = 1.0,
        ["modalities"] = null,
        ["prediction"] = null,
        ["prompt_logprobs"] = null,
        ["reasoning_effort"] = "none",
        ["skip_special_tokens"] = true,
        ["structured_outputs"] = null,
        ["suffix"] = "",
        ["tool_choice"] = "none",
        ["tools"] = null,
        ["top_logprobs"] = 0.0,
        ["truncate_prompt_tokens"] = null,
        ["typical_p"] = 1.0,
        ["use_beam_search"] = false,
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

    /// <summary>Takes the fields of a route, after it has taken its prompt.</summary>
    public static GenerationFields Read(RequestFields fields, AnswerKind kind, out IReadOnlyList<string> ignored)
    {
        bool stream = fields.TakeBoolean("stream");
        bool echo = kind == AnswerKind.Text && fields.TakeBoolean("echo");
        int least = echo ? 0 : 1;
        long? maxTokens = fields.TakeInteger("max_completion_tokens", least, int.MaxValue);
        long? olderMaxTokens = fields.TakeInteger("max_tokens", least, int.MaxValue);
        int choices = (int)(fields.TakeInteger("n", 1, MaxChoices) ?? 1);
        GenerationFields read = new()
        {
            Model = fields.TakeRequiredString("model"),
            Stream = stream,
            IncludeUsage = ReadIncludeUsage(fields, stream),
            ReturnTokenIds = fields.TakeBoolean("return_token_ids"),
            Request = new SessionRequest
            {
                MaxTokens = (int?)(maxTokens ?? olderMaxTokens) ?? (kind == AnswerKind.Text ? LegacyMaxTokens : null),
                MinTokens = (int)(fields.TakeInteger("min_tokens", 0, int.MaxValue) ?? 0),
                Stop = ReadStop(fields),
                StopIds = ReadStopIds(fields),
                IgnoreEndOfText = fields.TakeBoolean("ignore_eos"),
                Temperature = fields.TakeNumber("temperature", absent: 1, least: 0, most: 2),
                TopP = ReadTopP(fields),
                TopK = (int)Math.Max(0, fields.TakeInteger("top_k", -1, int.MaxValue) ?? 0), // -1 is vLLM's spelling of "all"
                MinP = fields.TakeNumber("min_p", absent: 0, least: 0, most: 1),
                PresencePenalty = fields.TakeNumber("presence_penalty", absent: 0, -MaxPenalty, MaxPenalty),
                FrequencyPenalty = fields.TakeNumber("frequency_penalty", absent: 0, -MaxPenalty, MaxPenalty),
                RepetitionPenalty = fields.TakeNumber("repetition_penalty", absent: 1, 1 / MaxRepetitionPenalty, MaxRepetitionPenalty),
                LogitBias = LogitBiasField.Read(fields),
                TopLogprobs = LogprobFields.Read(fields, kind),
                Choices = choices,
                Echo = echo,
                TemplateVariables = kind == AnswerKind.Chat ? TemplateVariablesField.Read(fields) : null,
                JsonSchema = ResponseFormatField.Read(fields),
                KeepAlive = KeepAliveField.Read(fields),
                Seed = ReadSeed(fields),
            },
        };
        // The best of as many as are answered is all of them.
        if (fields.TakeInteger("best_of", 1, int.MaxValue) is { } bestOf && bestOf != choices) throw RequestFields.Malformed("best_of", "is supported only if it equals n");
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

    private static ImmutableArray<int> ReadStopIds(RequestFields fields)
    {
        if (fields.Take("stop_token_ids") is not { } value) return [];
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() > MaxStopIds)
            throw RequestFields.Malformed("stop_token_ids", $"must be a list of at most {MaxStopIds} token ids");
        return [.. value.EnumerateArray().Select(id => id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out int number) && number >= 0
            ? number
            : throw RequestFields.Malformed("stop_token_ids", "token ids must be whole numbers of at least 0"))];
    }
}
