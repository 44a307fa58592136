using TinyLlm.Tests;

namespace TinyLlm.Storage.Tests;

/// <summary>Reading parts of an object.</summary>
public abstract partial class ObjectStoreConformance
{
    [Theory]
    [InlineData(0, 1_000, 1_000)]
    [InlineData(0, 1, 1)]
    [InlineData(17, 400, 400)]
    [InlineData(999, 1, 1)]
    [InlineData(900, 500, 100)] // there is less than room
    [InlineData(1_000, 10, 0)] // at the end
    [InlineData(5_000, 10, 0)] // behind it
    [InlineData(3, 0, 0)]
    public async Task ReadRange_AnyPlace_GivesTheBytesThere(int offset, int room, int expected)
    {
        await Store.PutAsync("a/range", BodyStream.Bytes(0, 1_000), PutCondition.Always, Cancel);
        byte[] destination = new byte[room];

        int read = await Store.ReadRangeAsync("a/range", offset, destination, Cancel);

        Assert.Equal(expected, read);
        Assert.Equal(BodyStream.Bytes(Math.Min(offset, 1_000), expected), destination.AsSpan(0, read).ToArray());
    }

    [Fact]
    public async Task ReadRange_ManyAtATimeOverBlocks_GiveTheWhole()
    {
        const int Length = Block + 12_345, Step = 1 << 20;
        await Store.AppendAsync("big", 0, new BodyStream(Length), Plenty, Cancel);
        byte[] whole = new byte[Length];

        int[] read = await Task.WhenAll(Enumerable.Range(0, (Length + Step - 1) / Step).Select(
            piece => Store.ReadRangeAsync("big", piece * Step, whole.AsMemory(piece * Step, Math.Min(Step, Length - (piece * Step))), Cancel)));

        Assert.Equal(Length, read.Sum());
        Assert.Equal(BodyStream.Bytes(0, Length), whole);
    }

    [Fact]
    public async Task ReadRange_EmptyObject_GivesNothing()
    {
        await Store.PutAsync("empty", ReadOnlyMemory<byte>.Empty, PutCondition.Always, Cancel);

        Assert.Equal(0, await Store.ReadRangeAsync("empty", 0, new byte[10], Cancel));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(0)]
    public async Task ReadRange_NoObject_IsNotFound(int room)
    {
        await Store.PutAsync("folder/object", BodyStream.Bytes(0, 10), PutCondition.Always, Cancel);
        foreach (string name in new[] { "no/such", "folder" })
        {
            StoreException error = await Assert.ThrowsAsync<StoreException>(() => Store.ReadRangeAsync(name, 0, new byte[room], Cancel));
            Assert.Equal(StoreError.NotFound, error.Error);
        }
    }

    [Theory]
    [InlineData(0, 1_000, 300, new[] { 300, 300, 300, 100 })]
    [InlineData(100, 600, 300, new[] { 300, 300 })]
    [InlineData(0, 1_000, 4_000, new[] { 1_000 })]
    [InlineData(900, 500, 60, new[] { 60, 40 })] // the object ends within a piece
    [InlineData(900, 500, 50, new[] { 50, 50 })] // and after one
    [InlineData(1_000, 10, 4, new int[0])]
    [InlineData(3, 0, 0, new int[0])]
    public async Task ReadPieces_AnyPlace_HandsOnFullBuffersInOrder(int offset, int count, int room, int[] expected)
    {
        await Store.PutAsync("a/pieces", BodyStream.Bytes(0, 1_000), PutCondition.Always, Cancel);
        List<byte[]> pieces = [];

        long read = await Store.ReadPiecesAsync("a/pieces", offset, count, new byte[room], piece => pieces.Add(piece.ToArray()), Cancel);

        Assert.Equal(expected, pieces.Select(piece => piece.Length));
        Assert.Equal(expected.Sum(), read);
        Assert.Equal(BodyStream.Bytes(offset, (int)read), pieces.SelectMany(piece => piece));
    }

    [Fact]
    public async Task ReadPieces_TakerThrows_EndsThereAndIsNotRepeated()
    {
        await Store.PutAsync("a/pieces", BodyStream.Bytes(0, 1_000), PutCondition.Always, Cancel);
        int taken = 0;

        StoreException error = await Assert.ThrowsAsync<StoreException>(() => Store.ReadPiecesAsync(
            "a/pieces", 0, 1_000, new byte[100], _ => { if (++taken == 3) throw new StoreException(StoreError.Damaged, "not what it was"); }, Cancel));

        Assert.Equal((StoreError.Damaged, 3), (error.Error, taken));
    }

    /// <summary>Weights are decrypted there: whoever answers meanwhile goes first.</summary>
    [Fact]
    public async Task ReadPieces_OnLinux_AreUsedAtLowPriority()
    {
        Niceness.Require();
        await Store.PutAsync("a/pieces", BodyStream.Bytes(0, 1_000), PutCondition.Always, Cancel);
        int usual = Niceness.OfThisThread();

        await Store.ReadPiecesAsync("a/pieces", 0, 1_000, new byte[100], _ => Assert.InRange(Niceness.OfThisThread(), usual + 1, Niceness.Most), Cancel);
    }

    [Fact]
    public async Task ReadPieces_NoObject_IsNotFound()
    {
        StoreException error = await Assert.ThrowsAsync<StoreException>(
            () => Store.ReadPiecesAsync("no/such", 0, 10, new byte[10], _ => Assert.Fail("there is nothing"), Cancel));
        Assert.Equal(StoreError.NotFound, error.Error);
    }

    [Fact]
    public async Task ReadRange_BadArguments_Throw()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => Store.ReadPiecesAsync("x", 0, 10, Memory<byte>.Empty, _ => { }, Cancel));
        Assert.Equal(StoreError.BadName, (await Assert.ThrowsAsync<StoreException>(() => Store.ReadRangeAsync("../x", 0, new byte[1], Cancel))).Error);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Store.ReadRangeAsync("x", -1, new byte[1], Cancel));
    }
}
