using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using TinyLlm.Grains.Sessions;

namespace TinyLlm.Host.OpenAi;

/// <summary>Which of OpenAI's two answer shapes is written.</summary>
internal enum AnswerKind
{
    /// <summary>/v1/chat/completions.</summary>
    Chat,

    /// <summary>/v1/completions.</summary>
    Text,
}

/// <summary>
/// Writes one answer's JSON in OpenAI's shape: the whole answer, or its chunks. Everything that is the same in every chunk is fixed here, and its bytes are made once.
/// </summary>
internal sealed class AnswerShape
{
    // Text goes out as UTF-8, not as escapes; it is JSON in a response of that type, never part of a page.
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly AnswerKind _kind;
    private readonly string _id, _modelId;
    private readonly DateTimeOffset _created;
    private readonly bool _returnTokenIds, _returnLogprobs;
    private readonly byte[] _chunkHead, _chunkTail;

    public AnswerShape(AnswerKind kind, string modelId, DateTimeOffset created, bool returnTokenIds, bool returnLogprobs, bool includeUsage)
    {
        (_kind, _modelId, _created, _returnTokenIds, _returnLogprobs) = (kind, modelId, created, returnTokenIds, returnLogprobs);
        _id = (kind == AnswerKind.Chat ? "chatcmpl-" : "cmpl-") + Guid.NewGuid().ToString("N");
        _chunkHead = MakeChunkHead();
        _chunkTail = includeUsage ? [.. "],\"usage\":null}"u8] : [.. "]}"u8];
    }

    /// <summary>The first chunk of a chat's choice, which names the role.</summary>
    public void WriteRole(IBufferWriter<byte> output, int choice) => WriteChunk(output, choice, "", [], null, finish: null, role: true);

    /// <summary>A chunk of text.</summary>
    public void WriteDelta(IBufferWriter<byte> output, SessionDelta delta) =>
        WriteChunk(output, delta.Choice, delta.Text, delta.Ids, _returnLogprobs ? delta.Logprobs : null, finish: null, role: false);

    /// <summary>The chunk that tells why a choice ended.</summary>
    public void WriteFinish(IBufferWriter<byte> output, int choice, SessionEnd reason) => WriteChunk(output, choice, "", [], null, FinishReason(reason), role: false);

    /// <summary>The chunk that tells the usage.</summary>
    public void WriteUsageChunk(IBufferWriter<byte> output, SessionEnded end)
    {
        using Utf8JsonWriter json = new(output, Json);
        WriteHead(json, chunk: true);
        json.WriteStartArray("choices");
        json.WriteEndArray();
        WriteUsage(json, end);
        json.WriteEndObject();
    }

    /// <summary>A whole answer.</summary>
    public void WriteWhole(IBufferWriter<byte> output, IReadOnlyList<WholeChoice> choices, SessionEnded end)
    {
        using Utf8JsonWriter json = new(output, Json);
        WriteHead(json, chunk: false);
        json.WriteStartArray("choices");
        for (int index = 0; index < choices.Count; index++)
        {
            WholeChoice choice = choices[index];
            json.WriteStartObject();
            json.WriteNumber("index", index);
            if (_kind == AnswerKind.Chat)
            {
                json.WriteStartObject("message");
                json.WriteString("role", "assistant");
                json.WriteString("content", choice.Text.ToString());
                json.WriteNull("refusal");
                json.WriteEndObject();
            }
            else
            {
                json.WriteString("text", choice.Text.ToString());
            }
            WriteChoiceTail(json, choice.Ids, _returnLogprobs ? choice.Logprobs : null, FinishReason(choice.End ?? end.Reason));
        }
        json.WriteEndArray();
        WriteUsage(json, end);
        json.WriteEndObject();
    }

    private void WriteChunk(
        IBufferWriter<byte> output, int choice, string text, IReadOnlyList<int> ids, IReadOnlyList<SessionLogprob>? logprobs, string? finish, bool role)
    {
        output.Write(_chunkHead);
        using (Utf8JsonWriter json = new(output, Json)) WriteChoice(json, choice, text, ids, logprobs, finish, role);
        output.Write(_chunkTail);
    }

    /// <summary>What a chunk begins with, up to its one choice.</summary>
    private byte[] MakeChunkHead()
    {
        ArrayBufferWriter<byte> head = new();
        using Utf8JsonWriter json = new(head, Json);
        WriteHead(json, chunk: true);
        json.WriteStartArray("choices");
        json.Flush();
        return head.WrittenSpan.ToArray();
    }

    private void WriteChoice(
        Utf8JsonWriter json, int choice, string text, IReadOnlyList<int> ids, IReadOnlyList<SessionLogprob>? logprobs, string? finish, bool role)
    {
        json.WriteStartObject();
        json.WriteNumber("index", choice);
        if (_kind == AnswerKind.Chat)
        {
            json.WriteStartObject("delta");
            if (role) json.WriteString("role", "assistant");
            if (finish is null) json.WriteString("content", text);
            json.WriteEndObject();
        }
        else
        {
            json.WriteString("text", text);
        }
        WriteChoiceTail(json, ids, logprobs, finish);
    }

    private void WriteHead(Utf8JsonWriter json, bool chunk)
    {
        json.WriteStartObject();
        json.WriteString("id", _id);
        json.WriteString("object", _kind == AnswerKind.Text ? "text_completion" : chunk ? "chat.completion.chunk" : "chat.completion");
        json.WriteNumber("created", _created.ToUnixTimeSeconds());
        json.WriteString("model", _modelId);
    }

    private void WriteChoiceTail(Utf8JsonWriter json, IReadOnlyList<int> ids, IReadOnlyList<SessionLogprob>? logprobs, string? finish)
    {
        if (_returnTokenIds)
        {
            json.WriteStartArray("token_ids");
            foreach (int id in ids) json.WriteNumberValue(id);
            json.WriteEndArray();
        }
        LogprobShape.Write(json, _kind, logprobs);
        if (finish is null) json.WriteNull("finish_reason");
        else json.WriteString("finish_reason", finish);
        json.WriteEndObject();
    }

    private static void WriteUsage(Utf8JsonWriter json, SessionEnded end)
    {
        json.WriteStartObject("usage");
        json.WriteNumber("prompt_tokens", end.PromptTokens);
        json.WriteNumber("completion_tokens", end.CompletionTokens);
        json.WriteNumber("total_tokens", end.PromptTokens + end.CompletionTokens);
        json.WriteStartObject("prompt_tokens_details");
        json.WriteNumber("cached_tokens", end.CachedTokens);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static string FinishReason(SessionEnd reason) => reason switch
    {
        SessionEnd.Stop => "stop",
        SessionEnd.Length => "length",
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "A failed answer has no finish reason."),
    };
}
