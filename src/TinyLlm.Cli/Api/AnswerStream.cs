using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace TinyLlm.Cli.Api;

/// <summary>
/// Server-sent events -> pieces of text. A stream that ends without a reason to finish and <c>[DONE]</c> is a fault: a cut answer never
/// looks whole.
/// </summary>
internal static class AnswerStream
{
    public static async IAsyncEnumerable<string> ReadAsync(Stream body, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        bool finished = false;
        SseParser<byte[]> parser = SseParser.Create(body, static (_, data) => data.ToArray());
        await foreach (SseItem<byte[]> item in parser.EnumerateAsync(cancellationToken))
        {
            if (item.Data.AsSpan().SequenceEqual("[DONE]"u8))
            {
                if (!finished) break;
                yield break;
            }
            AnswerChoice? choice = Parse(item.Data);
            if (choice is null) continue;
            string text = choice.Delta?.Content ?? choice.Text ?? "";
            if (text.Length > 0) yield return text;
            finished |= choice.FinishReason is not null;
        }
        throw new ApiException("the answer was cut off: the server ended the stream early");
    }

    // The first choice of an event, or null when it has none (usage).
    private static AnswerChoice? Parse(byte[] data)
    {
        try
        {
            using (JsonDocument document = JsonDocument.Parse(data))
            {
                if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("error", out _))
                    throw ErrorBody.Parse(data, status: null, reason: null, retryAfter: null);
            }
            AnswerChunk? chunk = JsonSerializer.Deserialize(data, ApiJson.Default.AnswerChunk);
            return chunk?.Choices is [AnswerChoice first, ..] ? first : null;
        }
        catch (JsonException)
        {
            throw new ApiException("the answer was cut off: the server sent an event that is not of the OpenAI protocol");
        }
    }
}
