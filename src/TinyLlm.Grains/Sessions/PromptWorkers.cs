using System.Collections.Immutable;
using TinyLlm.Engine;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Residency;
using TinyLlm.Text;

namespace TinyLlm.Grains.Sessions;

/// <summary>
/// Renders chat templates and tokenizes, off the grain scheduler and on no more than one worker per core, so that long prompts of one
/// caller neither starve the silo's calls nor each other's memory.
/// </summary>
public sealed class PromptWorkers : IDisposable
{
    private readonly SemaphoreSlim _places = new(Environment.ProcessorCount);

    internal async Task<PreparedPrompt> PrepareAsync(LoadedModel model, SessionRequest request, CancellationToken cancellationToken)
    {
        await _places.WaitAsync(cancellationToken);
        try
        {
            return await Task.Run(() => Prepare(model, request), cancellationToken);
        }
        finally
        {
            _places.Release();
        }
    }

    public void Dispose() => _places.Dispose();

    private static PreparedPrompt Prepare(LoadedModel model, SessionRequest request)
    {
        SamplingOptions sampling = Sampling(request, model.Config.VocabularySize);
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

    private static SamplingOptions Sampling(SessionRequest request, int vocabularySize)
    {
        SamplingOptions sampling = new() { Temperature = request.Temperature, TopP = request.TopP, TopK = request.TopK, Seed = request.Seed };
        try
        {
            sampling.Validate(vocabularySize);
            return sampling;
        }
        catch (ArgumentException)
        {
            throw new RequestException(RequestError.Malformed, "temperature, top_p or top_k: out of range.");
        }
    }

    private static (ImmutableArray<int> Ids, ImmutableArray<string> Stops) ToIds(LoadedModel model, SessionRequest request)
    {
        if (request.Messages is { } messages) return Render(model, messages);
        if (request.Prompt is { } prompt) return ([.. model.Tokenizer.Encode(prompt, addSpecialTokens: true)], []);

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

    private static (ImmutableArray<int> Ids, ImmutableArray<string> Stops) Render(LoadedModel model, ImmutableArray<SessionMessage> messages)
    {
        try
        {
            string text = model.Template.Render([.. messages.Select(message => new ChatMessage(message.Role, message.Content))], addGenerationPrompt: true);
            // The plain template is text, and the tokenizer begins it as it begins any text. A template of the model's own writes the special
            // tokens itself.
            bool plain = ReferenceEquals(model.Template, ChatTemplate.Plain);
            int[] ids = model.Tokenizer.Encode(text, addSpecialTokens: plain, parseSpecialTokens: !plain);
            return ([.. ids], [.. model.Template.StopSequences]);
        }
        catch (ChatTemplateException exception)
        {
            throw new RequestException(RequestError.Malformed, $"messages: {exception.Message}")
            {
                Parameter = "messages",
                Detail = $"chat_template_{WireCode.Of(exception.Error)}",
            };
        }
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
