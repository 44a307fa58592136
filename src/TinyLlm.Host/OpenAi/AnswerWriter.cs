using System.Buffers;
using System.IO.Pipelines;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Sessions;
using TinyLlm.Host.Errors;
using TinyLlm.Host.Hardening;
using TinyLlm.Host.Streams;

namespace TinyLlm.Host.OpenAi;

/// <summary>
/// Step 7 of a request's life, HTTP's end of it: a generation's events become one JSON body, or server-sent events. An answer that was cut
/// never looks whole: a stream then ends with an error event and without "[DONE]".
/// </summary>
internal sealed class AnswerWriter(ReaderPatience patience, TimeProvider time)
{
    /// <summary>Proxies cut silent connections, commonly after 30 or 60 s.</summary>
    public static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(15);

    /// <summary>Writes the answer to an admitted generation, and disposes it.</summary>
    public async Task WriteAsync(HttpContext http, AnswerKind kind, GenerationFields fields, IReadOnlyList<string> ignored, StartedGeneration generation)
    {
        await using StartedGeneration ended = generation;
        IgnoredFields.Show(http, ignored, fields.Request.KeepAlive, generation.IsOwn);
        AnswerShape shape = new(kind, generation.ModelId, time.GetUtcNow(), fields.ReturnTokenIds, fields.Request.TopLogprobs is not null, fields.IncludeUsage);
        if (fields.Stream) await WriteStreamAsync(http, kind, fields, shape, generation);
        else await WriteWholeAsync(http, fields.Request.Choices, shape, generation);
    }

    private async Task WriteWholeAsync(HttpContext http, int count, AnswerShape shape, StartedGeneration generation)
    {
        WholeChoice[] choices = [.. Enumerable.Range(0, count).Select(_ => new WholeChoice())];
        SessionEnded? end = null;
        while (await generation.Events.MoveNextAsync())
        {
            switch (generation.Events.Current)
            {
                case SessionDelta delta:
                    choices[delta.Choice].Add(delta);
                    break;
                case SessionChoiceEnded choice:
                    choices[choice.Choice].End = choice.Reason;
                    break;
                case SessionEnded last:
                    end = last;
                    break;
            }
        }
        if (end is not { Reason: SessionEnd.Stop or SessionEnd.Length }) throw end?.Fault ?? MeteredEvents.Broken();

        http.Response.ContentType = "application/json";
        shape.WriteWhole(http.Response.BodyWriter, choices, end);
        await patience.FlushAsync(http, generation.Cut);
    }

    private async Task WriteStreamAsync(HttpContext http, AnswerKind kind, GenerationFields fields, AnswerShape shape, StartedGeneration generation)
    {
        http.Response.ContentType = "text/event-stream";
        http.Response.Headers.CacheControl = "no-cache";
        http.Response.Headers["X-Accel-Buffering"] = "no"; // nginx would hold the events back
        PipeWriter output = http.Response.BodyWriter;
        for (int choice = 0; kind == AnswerKind.Chat && choice < fields.Request.Choices; choice++) WriteEvent(output, buffer => shape.WriteRole(buffer, choice));

        bool complete = false;
        try
        {
            complete = await WriteEventsAsync(http, fields, shape, output, generation);
        }
        catch (RequestException refusal)
        {
            WriteCut(output, refusal);
            await patience.FlushAsync(http, generation.Cut);
            return;
        }
        if (!complete) WriteCut(output, MeteredEvents.Broken());
        await patience.FlushAsync(http, generation.Cut);
    }

    /// <summary>Writes what comes; whether it came to a good end.</summary>
    private async Task<bool> WriteEventsAsync(HttpContext http, GenerationFields fields, AnswerShape shape, PipeWriter output, StartedGeneration generation)
    {
        bool complete = false;
        while (await NextAsync(http, output, generation))
        {
            switch (generation.Events.Current)
            {
                case SessionDelta delta when delta.Text.Length > 0 || fields.ReturnTokenIds || delta.Logprobs.Length > 0:
                    WriteEvent(output, buffer => shape.WriteDelta(buffer, delta));
                    break;
                case SessionChoiceEnded { Reason: SessionEnd.Stop or SessionEnd.Length } choice:
                    WriteEvent(output, buffer => shape.WriteFinish(buffer, choice.Choice, choice.Reason));
                    break;
                case SessionEnded { Reason: SessionEnd.Stop or SessionEnd.Length } end:
                    if (fields.Request.Choices == 1) WriteEvent(output, buffer => shape.WriteFinish(buffer, 0, end.Reason));
                    if (fields.IncludeUsage) WriteEvent(output, buffer => shape.WriteUsageChunk(buffer, end));
                    output.Write("data: [DONE]\n\n"u8);
                    complete = true;
                    break;
                case SessionEnded { Fault: { } fault }:
                    throw fault;
            }
        }
        return complete;
    }

    /// <summary>
    /// Waits for the next event. What was written is flushed only when there is none yet, so events that come together leave together; and
    /// while none comes, a comment line keeps the connection alive.
    /// </summary>
    private async Task<bool> NextAsync(HttpContext http, PipeWriter output, StartedGeneration generation)
    {
        ValueTask<bool> pending = generation.Events.MoveNextAsync();
        if (pending.IsCompleted) return await pending;
        Task<bool> next = pending.AsTask();
        while (true)
        {
            await patience.FlushAsync(http, generation.Cut);
            try
            {
                return await next.WaitAsync(PingInterval, time);
            }
            catch (TimeoutException) when (!next.IsCompleted)
            {
                output.Write(": ping\n\n"u8);
            }
        }
    }

    private static void WriteEvent(PipeWriter output, Action<IBufferWriter<byte>> writeJson)
    {
        output.Write("data: "u8);
        writeJson(output);
        output.Write("\n\n"u8);
    }

    private static void WriteCut(PipeWriter output, RequestException refusal)
    {
        ErrorRow row = ErrorTable.Of(refusal.Error);
        output.Write("data: "u8);
        output.Write(ErrorWriter.OpenAiBody(row, refusal.Detail ?? row.Code, refusal.Message, refusal.Parameter));
        output.Write("\n\n"u8);
    }
}
