using System.Collections.Immutable;
using TinyLlm.Engine;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Residency;

namespace TinyLlm.Grains.Sessions;

/// <summary>
/// Renders chat templates and tokenizes, off the grain scheduler and on no more than one worker per core, so that long prompts of one
/// caller neither starve the silo's calls nor each other's memory.
/// </summary>
public sealed class PromptWorkers : IDisposable
{
    private readonly SemaphoreSlim _places = new(Environment.ProcessorCount);

    internal Task<PreparedPrompt> PrepareAsync(LoadedModel model, SessionRequest request, CancellationToken cancellationToken) =>
        RunAsync(() => Prepare(model, request), cancellationToken);

    /// <summary>Runs <paramref name="work"/> when there is a place for it.</summary>
    internal async Task<T> RunAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        await _places.WaitAsync(cancellationToken);
        try
        {
            return await Task.Run(work, cancellationToken);
        }
        finally
        {
            _places.Release();
        }
    }

    public void Dispose() => _places.Dispose();

    private static PreparedPrompt Prepare(LoadedModel model, SessionRequest request)
    {
        SamplingOptions sampling = Sampling(request);
        (ImmutableArray<int> ids, ImmutableArray<string> templateStops) = ToIds(model, request);
        if (ids.IsEmpty)
        {
            throw new RequestException(RequestError.Malformed, "prompt: it is empty, and this model's tokenizer adds no first token: send at least one token.")
            {
                Parameter = "prompt",
            };
        }

        return new PreparedPrompt(
            ids,
            MaxNewTokens(model.Config.ContextLength, ids.Length, request.MaxTokens, request.TokenAllowance ?? int.MaxValue),
            [.. model.StopIds],
            [.. request.Stop, .. templateStops],
            sampling);
    }

    private static SamplingOptions Sampling(SessionRequest request)
    {
        SamplingOptions sampling = new() { Temperature = request.Temperature, TopP = request.TopP, TopK = request.TopK, Seed = request.Seed };
        try
        {
            sampling.Validate();
            return sampling;
        }
        catch (ArgumentException)
        {
            throw new RequestException(RequestError.Malformed, "temperature, top_p or top_k: out of range.");
        }
    }

    private static (ImmutableArray<int> Ids, ImmutableArray<string> Stops) ToIds(LoadedModel model, SessionRequest request)
    {
        if (request.Messages is { } messages)
            return ([.. PromptText.Encode(model.Tokenizer, model.Template, messages, addGenerationPrompt: true)], [.. model.Template.StopSequences]);
        if (request.Prompt is { } prompt) return ([.. PromptText.Encode(model.Tokenizer, prompt, addSpecialTokens: true, parseSpecialTokens: false)], []);

        ImmutableArray<int> ids = request.PromptIds ?? [];
        foreach (int id in ids)
        {
            if (id >= 0 && id < model.Config.VocabularySize) continue;
            throw new RequestException(
                RequestError.Malformed, $"prompt: token id {id} is outside the model's vocabulary of 0 to {model.Config.VocabularySize - 1}.")
            {
                Parameter = "prompt",
            };
        }
        return (ids, []);
    }

    private static int MaxNewTokens(int contextLength, int promptTokens, int? asked, int allowance)
    {
        if (asked < 1) throw new RequestException(RequestError.Malformed, $"max_tokens: must be at least 1, not {asked}.") { Parameter = "max_tokens" };
        int left = contextLength - promptTokens;
        if (left >= 1 && !(asked > left)) return asked ?? Math.Min(left, allowance);
        string wanted = asked is null ? $"{promptTokens} tokens of prompt" : $"{promptTokens} tokens of prompt and {asked} of completion";
        throw new RequestException(
            RequestError.ContextLengthExceeded, $"This model's context is {contextLength} tokens, and {wanted} were asked for: send less, or lower max_tokens.")
        {
            Parameter = asked is null ? "prompt" : "max_tokens",
        };
    }
}
