using System.Text;
using TinyLlm.Engine;
using TinyLlm.Text;

namespace TinyLlm.Grains.Sessions;

/// <summary>Log-probabilities with their tokens as text.</summary>
internal static class LogprobTexts
{
    /// <param name="tokenizer">The model's.</param>
    /// <param name="id">The token.</param>
    /// <param name="logprobs">What the engine says of it; null for a prompt's first token.</param>
    /// <param name="textOffset">Characters of the answer before it.</param>
    public static SessionLogprob Of(Tokenizer tokenizer, int id, TokenLogprobs? logprobs, int textOffset) => Of(tokenizer, id, logprobs?.Logprob) with
    {
        TextOffset = textOffset,
        Top = logprobs is null ? [] : [.. logprobs.Top.Select(token => Of(tokenizer, token.Id, token.Logprob))],
    };

    private static SessionLogprob Of(Tokenizer tokenizer, int id, double? logprob)
    {
        byte[] bytes = tokenizer.TokenBytes(id) ?? [];
        // Special tokens give no text in an answer, but here they are what the model chose from.
        string text = bytes.Length > 0 ? Encoding.UTF8.GetString(bytes) : tokenizer.Decode([id], skipSpecialTokens: false);
        return new SessionLogprob { Token = text, Bytes = [.. bytes], Logprob = logprob };
    }
}
