using System.Collections.Immutable;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Residency;

namespace TinyLlm.Grains.Sessions;

/// <summary>Texts to embed become ids that fit the model.</summary>
internal static class EmbeddingInputs
{
    public static ImmutableArray<ImmutableArray<int>> ToIds(LoadedModel model, EmbeddingSpec spec) =>
        [.. spec.Inputs.Select((input, index) => ToIds(model, input, spec.Inputs.Length == 1 ? "input" : $"input[{index}]"))];

    private static ImmutableArray<int> ToIds(LoadedModel model, EmbeddingInput input, string place)
    {
        ImmutableArray<int> ids = input.Text is { } text ? [.. PromptText.Encode(model.Tokenizer, text, addSpecialTokens: true, parseSpecialTokens: false)] : input.Ids ?? [];
        if (ids.IsEmpty) throw Malformed(place, "it has no tokens: send at least one");
        if (ids.Length > model.Config.ContextLength)
        {
            throw new RequestException(
                RequestError.ContextLengthExceeded, $"{place}: it has {ids.Length} tokens, and this model's context is {model.Config.ContextLength}: shorten it.")
            {
                Parameter = "input",
            };
        }
        foreach (int id in ids)
        {
            if (id < 0 || id >= model.Config.VocabularySize) throw Malformed(place, $"token id {id} is outside the model's vocabulary of 0 to {model.Config.VocabularySize - 1}");
        }
        return ids;
    }

    private static RequestException Malformed(string place, string what) => new(RequestError.Malformed, $"{place}: {what}.") { Parameter = "input" };
}
