using System.Runtime.InteropServices;

namespace TinyLlm.Storage.Tests;

/// <summary>Blocks of a body, in memory that follows what has arrived.</summary>
public sealed class BlockBufferTests
{
    private const int BlockBytes = 1 << 20;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(64 << 10)]
    [InlineData((64 << 10) + 1)]
    [InlineData(BlockBytes - 1)]
    [InlineData(BlockBytes)]
    [InlineData(BlockBytes + 1)]
    [InlineData((3 * BlockBytes) + 5)]
    public async Task ReadAsync_BodyOfAnyLength_ComesInFullBlocksAndARest(int length)
    {
        byte[] body = new byte[length];
        new Random(20261126).NextBytes(body);
        using MemoryStream stream = new(body);
        using BlockBuffer buffer = new(BlockBytes);
        using MemoryStream read = new();
        int blocks = 0;
        do
        {
            await buffer.ReadAsync(stream, TestContext.Current.CancellationToken);
            read.Write(buffer.Block.Span);
            blocks++;
        }
        while (buffer.IsFull);
        Assert.Equal((length / BlockBytes) + 1, blocks);
        Assert.Equal(body, read.ToArray());
    }

    [Theory]
    [InlineData(1, 64 << 10)]
    [InlineData((64 << 10) - 1, 64 << 10)]
    [InlineData(200_000, 256 << 10)]
    [InlineData(BlockBytes, BlockBytes)]
    public async Task ReadAsync_BodyThatSentLittle_HoldsLittle(int length, int mostHeld)
    {
        using MemoryStream stream = new(new byte[length]);
        using BlockBuffer buffer = new(BlockBytes);
        await buffer.ReadAsync(stream, TestContext.Current.CancellationToken);
        Assert.True(MemoryMarshal.TryGetArray(buffer.Block, out ArraySegment<byte> held));
        Assert.InRange(held.Array!.Length, length, mostHeld);
    }

    [Fact]
    public async Task Dispose_AfterGrowing_LeavesNothingOfTheBody()
    {
        byte[] body = new byte[BlockBytes];
        Array.Fill(body, (byte)7);
        List<byte[]> held = [];
        using (BlockBuffer buffer = new(BlockBytes))
        {
            foreach (int length in (int[])[100, BlockBytes]) // the second reading grows it
            {
                using MemoryStream stream = new(body, 0, length);
                await buffer.ReadAsync(stream, TestContext.Current.CancellationToken);
                Assert.True(MemoryMarshal.TryGetArray(buffer.Block, out ArraySegment<byte> array));
                held.Add(array.Array!);
            }
        }
        Assert.NotSame(held[0], held[1]);
        Assert.All(held, array => Assert.Equal(-1, array.AsSpan().IndexOf(body.AsSpan(0, 100)))); // others may have rented it since: not one byte, but their row
    }
}
