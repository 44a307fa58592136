using System.Collections.Immutable;
using TinyLlm.Engine;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Residency;

namespace TinyLlm.Grains.Sessions;

/// <summary>Makes of a request what the engine takes, and refuses what does not fit the model.</summary>
internal static class PromptPreparation
{
    public static PreparedPrompt Prepare(LoadedModel model, string caller, SessionRequest request)
    {
        SamplingOptions sampling = Sampling(request, model.Config.VocabularySize);
        RequireIds("stop_token_ids", request.StopIds, model);
        (ImmutableArray<int> ids, ImmutableArray<string> templateStops) = ToIds(model, request);
        if (ids.IsEmpty) throw Malformed("prompt", "it is empty, and this model's tokenizer adds no first token: send at least one token");

        return new PreparedPrompt
        {
            Ids = ids,
            MaxNewTokens = MaxNewTokens(model.Config.ContextLength, ids.Length, request),
            StopIds = [.. request.IgnoreEndOfText ? request.StopIds : model.StopIds.Concat(request.StopIds).Distinct()],
            Stop = [.. request.Stop, .. templateStops],
            Sampling = sampling,
            Choices = request.Choices,
            MinNewTokens = request.MinTokens,
            TopLogprobs = request.TopLogprobs,
            Echo = request.Echo ? request.Prompt ?? model.Tokenizer.Decode(ids.AsSpan(), skipSpecialTokens: true) : null,
            Constraint = request.JsonSchema is { } schema ? model.Constraints.Get(caller, schema) : null,
        };
    }

    private static SamplingOptions Sampling(SessionRequest request, int vocabularySize)
    {
        SamplingOptions sampling = new()
        {
            Temperature = request.Temperature,
            TopP = request.TopP,
            TopK = request.TopK,
            MinP = request.MinP,
            PresencePenalty = request.PresencePenalty,
            FrequencyPenalty = request.FrequencyPenalty,
            RepetitionPenalty = request.RepetitionPenalty,
            LogitBias = [.. request.LogitBias.Select(bias => new TokenBias(bias.Token, bias.Bias))],
            Seed = request.Seed,
        };
        try
        {
            sampling.Validate(vocabularySize);
            return sampling;
        }
        catch (ArgumentOutOfRangeException refusal)
        {
            // The rule is the message's first line; what follows it is .NET's.
            throw Malformed(refusal.ParamName!, refusal.Message.Split(" (Parameter")[0]);
        }
    }

    private static (ImmutableArray<int> Ids, ImmutableArray<string> Stops) ToIds(LoadedModel model, SessionRequest request)
    {
        if (request.Messages is { } messages)
            return ([.. PromptText.Encode(model.Tokenizer, model.Template, messages, addGenerationPrompt: true, request.TemplateVariables)], [.. model.Template.StopSequences]);
        if (request.Prompt is { } prompt) return ([.. PromptText.Encode(model.Tokenizer, prompt, addSpecialTokens: true, parseSpecialTokens: false)], []);
        ImmutableArray<int> ids = request.PromptIds ?? [];
        RequireIds("prompt", ids, model);
        return (ids, []);
    }

    private static void RequireIds(string field, ImmutableArray<int> ids, LoadedModel model)
    {
        foreach (int id in ids)
        {
            if ((uint)id >= (uint)model.Config.VocabularySize)
                throw Malformed(field, $"token id {id} is outside the model's vocabulary of 0 to {model.Config.VocabularySize - 1}");
        }
    }

    private static int MaxNewTokens(int contextLength, int promptTokens, SessionRequest request)
    {
        int? asked = request.MaxTokens;
        int least = request.Echo ? 0 : 1;
        if (asked < least) throw Malformed("max_tokens", $"must be at least {least}, not {asked}");
        int left = contextLength - promptTokens;
        if (left >= 1 && !(asked > left)) return asked ?? Math.Min(left, Math.Max(1, (request.TokenAllowance ?? int.MaxValue) / request.Choices));
        string wanted = asked is null ? $"{promptTokens} tokens of prompt" : $"{promptTokens} tokens of prompt and {asked} of completion";
        throw new RequestException(
            RequestError.ContextLengthExceeded, $"This model's context is {contextLength} tokens, and {wanted} were asked for: send less, or lower max_tokens.")
        {
            Parameter = asked is null ? "prompt" : "max_tokens",
        };
    }

    private static RequestException Malformed(string field, string what) => new(RequestError.Malformed, $"{field}: {what}.") { Parameter = field };
}
