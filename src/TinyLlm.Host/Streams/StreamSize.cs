using TinyLlm.Grains.Sessions;

namespace TinyLlm.Host.Streams;

/// <summary>What an answer may take, as far as it is known before anybody has tokenized the prompt.</summary>
/// <param name="PromptTokens">An estimate: a token is about four characters, and a message has some of its own.</param>
/// <param name="MaxTokens">The most tokens of completion that the request allows; null: what the context leaves.</param>
internal readonly record struct StreamSize(long PromptTokens, long? MaxTokens)
{
    private const int CharactersPerToken = 4;
    private const int TokensPerMessage = 4;

    /// <summary>What is taken from the rate for a completion whose length the request leaves open.</summary>
    private const long UsualCompletionTokens = 256;

    public static StreamSize Of(SessionRequest request)
    {
        long characters = request.Prompt?.Length ?? request.Messages?.Sum(message => (long)message.Content.Length) ?? 0;
        long messages = request.Messages?.Length ?? 0;
        long ids = request.PromptIds?.Length ?? 0;
        return new StreamSize(ids + (messages * TokensPerMessage) + ((characters + CharactersPerToken - 1) / CharactersPerToken), request.MaxTokens * (long)request.Choices);
    }

    /// <summary>What is taken from the caller's rate before the answer begins; the rest is taken while it runs.</summary>
    public long ReservedTokens(int contextLength) => Math.Min(contextLength, PromptTokens + (MaxTokens ?? UsualCompletionTokens));
}
