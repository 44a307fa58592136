using System.Text.Json;

namespace TinyLlm.Host.OpenAi;

/// <summary>Reads what asks for log-probabilities: "logprobs" and "top_logprobs" of a chat, or the number "logprobs" of a plain completion.</summary>
internal static class LogprobFields
{
    /// <summary>OpenAI's bound of top_logprobs.</summary>
    private const int MaxTop = 20;

    /// <summary>How many likeliest tokens come with each; null: no log-probabilities.</summary>
    public static int? Read(RequestFields fields, AnswerKind kind)
    {
        if (kind == AnswerKind.Chat)
        {
            bool isAsked = fields.TakeBoolean("logprobs");
            long top = fields.TakeInteger("top_logprobs", 0, MaxTop) ?? 0;
            if (top > 0 && !isAsked) throw RequestFields.Malformed("top_logprobs", "is allowed only with \"logprobs\": true");
            return isAsked ? (int)top : null;
        }
        if (fields.Take("logprobs") is not { } value || value.ValueKind == JsonValueKind.False) return null;
        bool inside = value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number is >= 0 and <= MaxTop;
        return inside ? value.GetInt32() : throw RequestFields.Malformed("logprobs", $"must be a whole number from 0 to {MaxTop}");
    }
}
