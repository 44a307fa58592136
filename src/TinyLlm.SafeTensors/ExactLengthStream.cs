namespace TinyLlm.SafeTensors;

/// <summary>Passes on exactly the bytes that one tensor has; one more is refused before it is written, and one less at the end.</summary>
internal sealed class ExactLengthStream(Stream target, string tensor, long expectedBytes) : Stream
{
    private long _written;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Refuses a tensor of which bytes are missing.</summary>
    public void Complete()
    {
        if (_written != expectedBytes) throw Mismatch(_written);
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (buffer.Length > expectedBytes - _written) throw Mismatch(_written + buffer.Length);
        target.Write(buffer);
        _written += buffer.Length;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush() => target.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private SafeTensorsException Mismatch(long bytes) => Refusal.OfTensor(
        tensor, SafeTensorsError.SizeMismatch, $"its source wrote {bytes} bytes, and its shape and dtype take {expectedBytes}: correct the source");
}
