using System.Collections.Concurrent;
using Azure.Core;
using Azure.Core.Pipeline;

namespace TinyLlm.Storage.Tests.Faults;

/// <summary>The way to the real service, broken as it is told: below everything that the client library and the store do about it.</summary>
internal sealed class WireTransport(Func<WireFault> next) : HttpPipelineTransport, IDisposable
{
    /// <summary>For how long a client waits where nothing will come. Everything else may take as long as the machine needs.</summary>
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(2);

    private readonly HttpClientTransport inner = new(new HttpClient());

    /// <summary>Every request so far: its method and what became of it.</summary>
    public ConcurrentQueue<(string Method, WireFault Fault)> Requests { get; } = new();

    /// <summary>Has a client's requests go this way.</summary>
    public void Carry(ClientOptions options)
    {
        options.Transport = this;
        options.AddPolicy(new Draw(next), HttpPipelinePosition.PerRetry);
    }

    public override Azure.Core.Request CreateRequest() => inner.CreateRequest();

    public override void Process(HttpMessage message) => throw new NotSupportedException("the store makes asynchronous requests only");

    public override async ValueTask ProcessAsync(HttpMessage message)
    {
        WireFault fault = message.TryGetProperty(nameof(WireFault), out object? drawn) ? (WireFault)drawn! : WireFault.None;
        Requests.Enqueue((message.Request.Method.Method, fault));
        switch (fault)
        {
            case WireFault.NoConnection:
                throw new Azure.RequestFailedException("Connection refused");
            case WireFault.Busy:
                throw new Azure.RequestFailedException(503, "The server is busy.");
            case WireFault.Silence:
                await new TaskCompletionSource().Task.WaitAsync(message.CancellationToken);
                return;
        }
        await inner.ProcessAsync(message);
        switch (fault)
        {
            case WireFault.LostAnswer:
                throw new IOException("Connection reset by peer");
            case WireFault.FailedAfter:
                throw new Azure.RequestFailedException(500, "The service failed.");
            case WireFault.TornBody when message.Response.ContentStream is { } body:
                message.Response.ContentStream = new TornStream(body);
                break;
        }
    }

    public void Dispose() => inner.Dispose();

    /// <summary>Draws what becomes of a request before the client begins to wait for its answer.</summary>
    private sealed class Draw(Func<WireFault> next) : HttpPipelineSynchronousPolicy
    {
        public override void OnSendingRequest(HttpMessage message)
        {
            WireFault fault = next();
            message.SetProperty(nameof(WireFault), fault);
            message.NetworkTimeout = fault == WireFault.Silence ? s_silence : null;
        }
    }

    /// <summary>Gives some of the bytes, then fails.</summary>
    private sealed class TornStream(Stream inner) : Stream
    {
        private int left = 1_000;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => inner.Length;
        public override long Position { get => inner.Position; set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (left == 0) throw new IOException("Connection reset by peer");
            int count = await inner.ReadAsync(buffer[..Math.Min(left, buffer.Length)], cancellationToken);
            left -= count;
            return count;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("bodies are read asynchronously");
        public override void Flush() => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
