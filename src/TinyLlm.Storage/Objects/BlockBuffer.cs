using System.Buffers;
using System.Security.Cryptography;

namespace TinyLlm.Storage;

/// <summary>
/// Memory for one block of a body. It begins small and grows with what arrives, so that a small file, or a slow client that has sent little, holds
/// little; given back zeroed.
/// </summary>
/// <param name="blockBytes">A block's size: what a <see cref="Block"/> has unless the body ended.</param>
internal sealed class BlockBuffer(int blockBytes) : IDisposable
{
    // Under the 85,000 bytes from which the runtime keeps an array among the large ones, which it doesn't move together.
    private const int FirstBytes = 64 << 10;

    // Each growth copies what is there: a third of a block in all.
    private const int Growth = 4;

    private byte[] array = ArrayPool<byte>.Shared.Rent(Math.Min(FirstBytes, blockBytes));
    private int filled, used;

    /// <summary>What was read last. The next reading overwrites it.</summary>
    public ReadOnlyMemory<byte> Block => array.AsMemory(0, filled);

    /// <summary>Whether the body may go on behind <see cref="Block"/>.</summary>
    public bool IsFull => filled == blockBytes;

    /// <summary>Reads until the block is full or the body ends.</summary>
    public async Task ReadAsync(Stream body, CancellationToken cancellationToken)
    {
        filled = 0;
        while (filled < blockBytes)
        {
            if (filled == array.Length) Grow();
            Memory<byte> room = array.AsMemory(filled, Math.Min(array.Length, blockBytes) - filled);
            int read = await body.ReadAtLeastAsync(room, room.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            filled += read;
            used = Math.Max(used, filled);
            if (read < room.Length) return;
        }
    }

    public void Dispose() => GiveBack();

    private void Grow()
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent((int)Math.Min((long)array.Length * Growth, blockBytes));
        Block.CopyTo(larger);
        GiveBack();
        array = larger;
    }

    private void GiveBack()
    {
        CryptographicOperations.ZeroMemory(array.AsSpan(0, used));
        ArrayPool<byte>.Shared.Return(array);
        array = [];
    }
}
