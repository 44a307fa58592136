using System.Text.Json;
using TinyLlm.Grains.Sessions;

namespace TinyLlm.Host.OpenAi;

/// <summary>Writes a choice's "logprobs" in the shape of a chat, or in the older one of plain completions.</summary>
internal static class LogprobShape
{
    // JSON has no infinity; OpenAI writes this for what can't happen.
    private const double Impossible = -9999;

    /// <summary>Null where nobody asked.</summary>
    public static void Write(Utf8JsonWriter json, AnswerKind kind, IReadOnlyList<SessionLogprob>? logprobs)
    {
        if (logprobs is null)
        {
            json.WriteNull("logprobs");
            return;
        }
        json.WriteStartObject("logprobs");
        if (kind == AnswerKind.Chat) WriteChat(json, logprobs);
        else WriteText(json, logprobs);
        json.WriteEndObject();
    }

    private static void WriteChat(Utf8JsonWriter json, IReadOnlyList<SessionLogprob> logprobs)
    {
        json.WriteStartArray("content");
        foreach (SessionLogprob token in logprobs)
        {
            WriteToken(json, token);
            json.WriteStartArray("top_logprobs");
            foreach (SessionLogprob top in token.Top)
            {
                WriteToken(json, top);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteNull("refusal");
    }

    private static void WriteToken(Utf8JsonWriter json, SessionLogprob token)
    {
        json.WriteStartObject();
        json.WriteString("token", token.Token);
        json.WriteNumber("logprob", Finite(token));
        json.WriteStartArray("bytes");
        foreach (byte value in token.Bytes) json.WriteNumberValue(value);
        json.WriteEndArray();
    }

    private static void WriteText(Utf8JsonWriter json, IReadOnlyList<SessionLogprob> logprobs)
    {
        json.WriteStartArray("tokens");
        foreach (SessionLogprob token in logprobs) json.WriteStringValue(token.Token);
        json.WriteEndArray();
        json.WriteStartArray("token_logprobs");
        foreach (SessionLogprob token in logprobs)
        {
            if (token.Logprob is null) json.WriteNullValue();
            else json.WriteNumberValue(Finite(token));
        }
        json.WriteEndArray();
        json.WriteStartArray("top_logprobs");
        foreach (SessionLogprob token in logprobs)
        {
            if (token.Logprob is null)
            {
                json.WriteNullValue();
                continue;
            }
            json.WriteStartObject();
            // Two tokens may read alike (parts of characters do); the likelier one stands for both.
            foreach (SessionLogprob top in token.Top.DistinctBy(top => top.Token, StringComparer.Ordinal)) json.WriteNumber(top.Token, Finite(top));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("text_offset");
        foreach (SessionLogprob token in logprobs) json.WriteNumberValue(token.TextOffset);
        json.WriteEndArray();
    }

    private static double Finite(SessionLogprob token) => Math.Max(token.Logprob ?? 0, Impossible);
}
