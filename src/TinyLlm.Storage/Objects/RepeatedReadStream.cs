namespace TinyLlm.Storage;

/// <summary>
/// A seekable stream whose reads are repeated while they fail for a moment. The stream below must stay where it is when a read fails. Disposing this one
/// disposes that.
/// </summary>
internal sealed class RepeatedReadStream(Stream inner, Func<Func<CancellationToken, Task<int>>, CancellationToken, Task<int>> repeat) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => inner.Length;

    public override long Position
    {
        get => inner.Position;
        set => inner.Position = value;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        await repeat(async cancel => await inner.ReadAsync(buffer, cancel).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer, offset, count, CancellationToken.None).GetAwaiter().GetResult();

    public override long Seek(long offset, SeekOrigin origin) => inner.Seek(offset, origin);

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException("the stream only reads");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("the stream only reads");

    public override async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }
}
