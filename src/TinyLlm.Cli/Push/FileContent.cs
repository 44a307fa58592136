using System.Net;

namespace TinyLlm.Cli.Push;

/// <summary>A file's bytes from an offset on as a request's body, streamed, and told to whoever watches.</summary>
internal sealed class FileContent : HttpContent
{
    // Large enough for few system calls, small enough for a smooth bar.
    private const int BufferBytes = 128 * 1024;

    private readonly string path;
    private readonly long offset;
    private readonly long bytes;
    private readonly Action<long> onSent;

    /// <param name="file">The file, whose length must not have changed.</param>
    /// <param name="offset">The first byte that is sent.</param>
    /// <param name="digest">SHA-256 of what is sent.</param>
    /// <param name="onSent">Gets the file's position after each piece.</param>
    public FileContent(ModelFile file, long offset, byte[] digest, Action<long> onSent)
    {
        path = file.Path;
        this.offset = offset;
        bytes = file.Bytes - offset;
        this.onSent = onSent;
        Headers.ContentType = new("application/octet-stream");
        Headers.Add("Content-Digest", $"sha-256=:{Convert.ToBase64String(digest)}:");
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, useAsync: true);
        file.Position = offset;
        byte[] buffer = new byte[BufferBytes];
        for (long sent = 0; sent < bytes;)
        {
            int count = await file.ReadAsync(buffer.AsMemory(0, (int)Math.Min(BufferBytes, bytes - sent)), cancellationToken);
            if (count == 0) throw new UsageException($"'{path}' became shorter while it was sent");
            await stream.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
            sent += count;
            onSent(offset + sent);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = bytes;
        return true;
    }
}
