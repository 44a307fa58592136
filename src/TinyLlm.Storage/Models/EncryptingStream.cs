using System.Security.Cryptography;

namespace TinyLlm.Storage;

/// <summary>
/// Plaintext in, stored bytes out, while a body arrives: the header where the file begins, then full chunks. What is left when the body ends is
/// <see cref="Rest"/>. Where the first chunk was begun before, its stored beginning must come out again, and is left out.
/// </summary>
internal sealed class EncryptingStream : Stream
{
    // Most files of a model but its weights are smaller than 4 chunks, and a slow client has sent less for long. 64 are enough for few calls, and what
    // one core's cache holds.
    private const int FirstBytes = 4 * EncryptedLayout.ChunkBytes, MaxBytes = 64 * EncryptedLayout.ChunkBytes;

    private readonly FileEncryptor encryptor;
    private readonly Stream body;
    private readonly long maxBytes;
    private byte[] plaintext = new byte[FirstBytes], encrypted = [];
    private ReadOnlyMemory<byte> before, begun, waiting;
    private long chunk, bodyBytesLeft;
    private int filled;
    private bool ended;

    /// <param name="encryptor">The file's.</param>
    /// <param name="isNew">Whether the file begins here, with its header.</param>
    /// <param name="firstChunk">The number of the first chunk.</param>
    /// <param name="before">Plaintext that comes before the body.</param>
    /// <param name="begun">The stored beginning of the first chunk, less than a chunk.</param>
    /// <param name="body">Read to its end; not disposed.</param>
    /// <param name="room">The most bytes that the body may have.</param>
    /// <param name="maxBytes">The bound that an error names.</param>
    public EncryptingStream(
        FileEncryptor encryptor, bool isNew, long firstChunk, ReadOnlyMemory<byte> before, ReadOnlyMemory<byte> begun, Stream body, long room, long maxBytes)
    {
        this.encryptor = encryptor;
        this.before = before;
        this.begun = begun;
        this.body = body;
        this.maxBytes = maxBytes;
        chunk = firstChunk;
        bodyBytesLeft = room;
        waiting = isNew ? encryptor.Header : default;
    }

    /// <summary>After the end: the plaintext after the last full chunk.</summary>
    public ReadOnlySpan<byte> Rest => plaintext.AsSpan(0, filled);

    /// <summary>Chunks that are full so far, those before the first of this stream included.</summary>
    public long Chunks => chunk;

    /// <summary>Whether reading failed because the first chunk was begun with other bytes than those that came now.</summary>
    public bool HasDiverged { get; private set; }

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>Reads ahead; false when the body ends before a chunk is full.</summary>
    public async Task<bool> FillAsync(CancellationToken cancellationToken)
    {
        while (filled < MaxBytes && !ended)
        {
            if (filled == plaintext.Length) Grow();
            if (!before.IsEmpty)
            {
                int count = Math.Min(before.Length, plaintext.Length - filled);
                before[..count].CopyTo(plaintext.AsMemory(filled));
                before = before[count..];
                filled += count;
                continue;
            }
            int read = await body.ReadAsync(plaintext.AsMemory(filled), cancellationToken).ConfigureAwait(false);
            if (read > bodyBytesLeft) throw ObjectStore.TooLarge(maxBytes);
            bodyBytesLeft -= read;
            filled += read;
            ended = read == 0;
        }
        return filled >= EncryptedLayout.ChunkBytes;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (waiting.IsEmpty && await FillAsync(cancellationToken).ConfigureAwait(false))
        {
            int chunks = filled / EncryptedLayout.ChunkBytes;
            int needed = chunks * EncryptedLayout.EncryptedChunkBytes;
            bool direct = begun.IsEmpty && buffer.Length >= needed;
            if (!direct && encrypted.Length < needed) encrypted = new byte[needed];
            int count = Encrypt(chunks, direct ? buffer : encrypted);
            if (direct) return count;
            waiting = encrypted.AsMemory(begun.Length, count - begun.Length);
            begun = default;
        }
        int given = Math.Min(waiting.Length, buffer.Length);
        waiting[..given].CopyTo(buffer);
        waiting = waiting[given..];
        return given;
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("bodies are read asynchronously");
    public override void Flush() => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        CryptographicOperations.ZeroMemory(plaintext);
        base.Dispose(disposing);
    }

    private void Grow()
    {
        byte[] larger = new byte[MaxBytes];
        plaintext.CopyTo(larger, 0);
        CryptographicOperations.ZeroMemory(plaintext);
        plaintext = larger;
    }

    private int Encrypt(int chunks, Memory<byte> destination)
    {
        int taken = chunks * EncryptedLayout.ChunkBytes;
        int count = encryptor.EncryptChunks(chunk, plaintext.AsSpan(0, taken), destination.Span);
        HasDiverged = !destination.Span.StartsWith(begun.Span);
        if (HasDiverged) throw new StoreException(StoreError.OffsetMismatch, "the chunk was begun with other bytes: send the file from its beginning") { DurableLength = 0 };
        plaintext.AsSpan(taken, filled - taken).CopyTo(plaintext);
        filled -= taken;
        chunk += chunks;
        return count;
    }
}
