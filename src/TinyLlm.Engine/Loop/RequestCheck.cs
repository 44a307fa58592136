using System.Collections.Immutable;

namespace TinyLlm.Engine;

/// <summary>Whether a request can ever run on a model and a device.</summary>
internal static class RequestCheck
{
    /// <summary>Tokens that the sequence's cache must hold.</summary>
    public static int CapacityTokens(ResidentModel model, GenerationRequest request, long limitBytes)
    {
        ArgumentNullException.ThrowIfNull(request);
        DecoderConfig config = model.Config;
        request.Sampling.Validate(config.VocabularySize);
        if (request.PromptIds.IsDefaultOrEmpty) throw new ArgumentException("the prompt has no ids, and must have one", nameof(request));
        if (request.PromptIds.Length >= config.ContextLength)
            throw new ArgumentException($"the prompt has {request.PromptIds.Length} ids, and the model's context of {config.ContextLength} must hold one more: shorten it", nameof(request));
        CheckIds(request.PromptIds, config);
        if (request.MaxNewTokens < 1) throw new ArgumentException($"{request.MaxNewTokens} new tokens are asked for, and must be at least 1", nameof(request));
        ArgumentOutOfRangeException.ThrowIfNegative(request.MinNewTokens, nameof(request));
        ArgumentNullException.ThrowIfNull(request.Caller, nameof(request));
        CheckStopIds(request.StopIds, config.VocabularySize);

        // The last token is never read back, so it needs no place in the cache.
        int capacityTokens = request.PromptIds.Length + NewTokens(model, request) - 1;
        CheckBytes(model, capacityTokens, limitBytes);
        return capacityTokens;
    }

    private static void CheckStopIds(ImmutableArray<int> ids, int vocabularySize)
    {
        if (ids.IsDefault) throw new ArgumentException("the stop ids are not set", nameof(ids));
        foreach (int id in ids)
        {
            if ((uint)id >= (uint)vocabularySize) throw new ArgumentException($"stop id {id} is outside of the vocabulary of {vocabularySize}", nameof(ids));
        }
    }

    /// <summary>Throws when a text can never be embedded.</summary>
    public static void CheckEmbedding(ResidentModel model, EmbeddingRequest request, long limitBytes)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(request.Caller, nameof(request));
        if (request.Ids.IsDefaultOrEmpty) throw new ArgumentException("the text has no ids, and must have one", nameof(request));
        if (request.Ids.Length > model.Config.ContextLength)
            throw new ArgumentException($"the text has {request.Ids.Length} ids, and the model's context is {model.Config.ContextLength}: shorten it", nameof(request));
        CheckIds(request.Ids, model.Config);
        CheckBytes(model, request.Ids.Length, limitBytes);
    }

    /// <summary>How many tokens the request and the model's context allow.</summary>
    public static int NewTokens(ResidentModel model, GenerationRequest request) =>
        Math.Min(request.MaxNewTokens, model.Config.ContextLength - request.PromptIds.Length);

    private static void CheckIds(ImmutableArray<int> ids, DecoderConfig config)
    {
        foreach (int id in ids)
        {
            if ((uint)id >= (uint)config.VocabularySize)
                throw new ArgumentException($"id {id} of the prompt is outside of the vocabulary of {config.VocabularySize}", nameof(ids));
        }
    }

    private static void CheckBytes(ResidentModel model, int tokens, long limitBytes)
    {
        long bytes = model.Decoder.CacheBytes(tokens), room = limitBytes - model.WeightBytes;
        if (bytes > room)
            throw new ArgumentException($"a cache for {tokens} tokens takes {bytes} bytes, and the device has {room} beside the weights: ask for fewer tokens", nameof(tokens));
    }
}
