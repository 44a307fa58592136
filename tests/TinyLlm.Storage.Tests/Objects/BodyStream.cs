namespace TinyLlm.Storage.Tests;

/// <summary>
/// The body of an upload: <paramref name="length"/> bytes of the pattern that <see cref="ByteAt"/> tells, in pieces of any size, then whatever
/// <paramref name="atEnd"/> does (an end, a failure, a wait).
/// </summary>
internal sealed class BodyStream(long length, Func<CancellationToken, Task>? atEnd = null, long patternOffset = 0) : Stream
{
    private long position;

    /// <summary>Bytes handed out so far.</summary>
    public long Sent => position;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public static byte ByteAt(long index) => (byte)((index * 2654435761L) >> 13);

    public static byte[] Bytes(long from, long count)
    {
        byte[] bytes = new byte[count];
        for (int i = 0; i < bytes.Length; i++) bytes[i] = ByteAt(from + i);
        return bytes;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        int count = (int)Math.Min(Math.Min(buffer.Length, 1 + (position * 31 % 100_000)), length - position);
        if (count == 0 && atEnd is not null) await atEnd(cancellationToken);
        for (int i = 0; i < count; i++) buffer.Span[i] = ByteAt(patternOffset + position + i);
        position += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("bodies are read asynchronously");
    public override void Flush() => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
