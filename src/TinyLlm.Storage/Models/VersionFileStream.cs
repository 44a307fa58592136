using System.Security.Cryptography;

namespace TinyLlm.Storage;

/// <summary>A <see cref="VersionFile"/> as a seekable stream, read ahead by up to a megabyte.</summary>
internal sealed class VersionFileStream(VersionFile file) : Stream
{
    private const int BufferBytes = 64 * EncryptedLayout.ChunkBytes;

    private byte[] buffer = [];
    private long bufferStart, position;
    private int bufferCount;

    public override bool CanRead => true;
    public override bool CanSeek => true;
    public override bool CanWrite => false;
    public override long Length => file.Length;

    public override long Position
    {
        get => position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            position = value;
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        if (destination.IsEmpty || position >= file.Length) return 0;
        if (position < bufferStart || position >= bufferStart + bufferCount) await FillAsync(cancellationToken).ConfigureAwait(false);
        int from = (int)(position - bufferStart), count = Math.Min(destination.Length, bufferCount - from);
        buffer.AsSpan(from, count).CopyTo(destination.Span);
        position += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => position + offset,
        _ => file.Length + offset,
    };

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("files are read asynchronously");
    public override void Flush() => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        CryptographicOperations.ZeroMemory(buffer);
        if (disposing) file.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Whole chunks, so that each is decrypted once.</summary>
    private async Task FillAsync(CancellationToken cancellationToken)
    {
        long start = position - (position % EncryptedLayout.ChunkBytes);
        int count = (int)Math.Min(BufferBytes, file.Length - start);
        if (buffer.Length < count) buffer = new byte[count];
        bufferCount = 0;
        await file.ReadAsync(start, buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
        bufferStart = start;
        bufferCount = count;
    }
}
