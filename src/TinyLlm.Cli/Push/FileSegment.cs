using System.Net;
using System.Security.Cryptography;

namespace TinyLlm.Cli.Push;

/// <summary>A part of a file as a request's body, streamed, and told to whoever watches.</summary>
internal sealed class FileSegment : HttpContent
{
    // Large enough for few system calls, small enough for a smooth bar.
    private const int BufferBytes = 128 * 1024;

    private readonly ModelFile file;
    private readonly long offset;
    private readonly long count;
    private readonly Action<long> onSent;

    /// <param name="file">The file, whose length must not have changed.</param>
    /// <param name="offset">The first byte that is sent.</param>
    /// <param name="count">How many are sent.</param>
    /// <param name="digest">SHA-256 of what is sent (RFC 9530: of this request's content).</param>
    /// <param name="onSent">Gets the file's position after each piece.</param>
    public FileSegment(ModelFile file, long offset, long count, byte[] digest, Action<long> onSent)
    {
        this.file = file;
        this.offset = offset;
        this.count = count;
        this.onSent = onSent;
        Headers.ContentType = new("application/octet-stream");
        Headers.Add("Content-Digest", $"sha-256=:{Convert.ToBase64String(digest)}:");
    }

    /// <summary>SHA-256 of a part of a file.</summary>
    public static async Task<byte[]> DigestAsync(ModelFile file, long offset, long count, CancellationToken cancellationToken)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await ReadAsync(file, offset, count, bytes =>
        {
            hash.AppendData(bytes.Span);
            return ValueTask.CompletedTask;
        }, cancellationToken);
        return hash.GetHashAndReset();
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        long position = offset;
        return ReadAsync(file, offset, count, async bytes =>
        {
            await stream.WriteAsync(bytes, cancellationToken);
            position += bytes.Length;
            onSent(position);
        }, cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = count;
        return true;
    }

    private static async Task ReadAsync(
        ModelFile file, long offset, long count, Func<ReadOnlyMemory<byte>, ValueTask> take, CancellationToken cancellationToken)
    {
        await using FileStream stream = new(file.Path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, useAsync: true);
        if (stream.Length != file.Bytes) throw new UsageException($"{file.Name} changed while it was sent: push again");
        stream.Position = offset;
        byte[] buffer = new byte[Math.Min(BufferBytes, count)];
        while (count > 0)
        {
            int read = await stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, count)), cancellationToken);
            if (read == 0) throw new UsageException($"{file.Name} became shorter while it was sent: push again");
            await take(buffer.AsMemory(0, read));
            count -= read;
        }
    }
}
