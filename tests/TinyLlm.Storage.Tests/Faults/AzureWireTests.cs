using Azure.Storage.Blobs;
using TinyLlm.Tests;

namespace TinyLlm.Storage.Tests.Faults;

/// <summary>The store over the real service, with faults on the wire between the two.</summary>
public sealed class AzureWireTests(Azurite azurite)
{
    private static readonly byte[] Bytes = BodyStream.Bytes(0, 3_000_000);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Put_WireBreaksOnce_WritesOnce(WireFault fault)
    {
        using WireTransport wire = Plan(fault);
        AzureBlobObjectStore store = await OpenAsync(wire);
        StartBreaking();

        string eTag = await store.PutAsync("x", Bytes, PutCondition.IfAbsent, Cancel);

        StoredObject stored = (await store.GetAsync("x", Cancel))!;
        Assert.Equal(eTag, stored.ETag);
        Assert.True(stored.Bytes.Span.SequenceEqual(Bytes));
        bool done = fault is WireFault.LostAnswer or WireFault.FailedAfter or WireFault.TornBody or WireFault.None;
        Assert.Equal(done ? 1 : 2, wire.Requests.Count(request => request is { Method: "PUT" } && (request.Fault == fault || request.Fault == WireFault.None)) - 1); // less the container's
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Get_WireBreaksOnce_GivesEveryByte(WireFault fault)
    {
        using WireTransport wire = Plan(fault);
        AzureBlobObjectStore store = await OpenAsync(wire);
        await store.PutAsync("x", Bytes, PutCondition.Always, Cancel);
        StartBreaking();

        Assert.True((await store.GetAsync("x", Cancel))!.Bytes.Span.SequenceEqual(Bytes));
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task OpenRead_WireBreaksThreeTimes_GivesEveryByte(WireFault fault)
    {
        using WireTransport wire = Plan(fault, fault, fault);
        AzureBlobObjectStore store = await OpenAsync(wire);
        await store.PutAsync("x", Bytes, PutCondition.Always, Cancel);
        await using Stream stream = await store.OpenReadAsync("x", Cancel);
        StartBreaking();
        byte[] read = new byte[Bytes.Length];

        await stream.ReadExactlyAsync(read, Cancel);

        Assert.True(read.AsSpan().SequenceEqual(Bytes));
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task ReadPieces_WireBreaksThreeTimes_HandsOnEachByteOnce(WireFault fault)
    {
        using WireTransport wire = Plan(fault, fault, fault);
        AzureBlobObjectStore store = await OpenAsync(wire);
        await store.PutAsync("x", Bytes, PutCondition.Always, Cancel);
        StartBreaking();
        List<byte> taken = [];

        await store.ReadPiecesAsync("x", 0, Bytes.Length, new byte[700], piece => taken.AddRange(piece), Cancel);

        Assert.True(Bytes.AsSpan().SequenceEqual(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(taken)));
    }

    /// <summary>Whichever request of an append is broken (look, stage, commit, look again), every byte is there once.</summary>
    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Append_AnyRequestBreaks_KeepsEveryByteOnce(WireFault fault)
    {
        for (int position = 0; position < 4; position++)
        {
            using WireTransport wire = Plan([.. Enumerable.Repeat(WireFault.None, position), fault]);
            AzureBlobObjectStore store = await OpenAsync(wire);
            StartBreaking();

            AppendResult result = await store.AppendAsync("x", 0, new MemoryStream(Bytes), long.MaxValue, Cancel);

            Assert.Equal(Bytes.Length, result.Length);
            StoredObject stored = (await store.GetAsync("x", Cancel))!;
            Assert.Equal(result.ETag, stored.ETag);
            Assert.True(stored.Bytes.Span.SequenceEqual(Bytes));
        }
    }

    [Fact]
    public async Task Anything_ServiceSilent_IsUnavailable()
    {
        bool silent = false;
        using WireTransport wire = new(() => silent ? WireFault.NoConnection : WireFault.None);
        AzureBlobObjectStore store = await OpenAsync(wire);
        silent = true;

        StoreException error = await Assert.ThrowsAsync<StoreException>(() => store.PutAsync("x", Bytes, PutCondition.IfAbsent, Cancel));

        Assert.Equal(StoreError.Unavailable, error.Error);
        Assert.Equal(4, wire.Requests.Count(request => request.Fault == WireFault.NoConnection));
        silent = false;
        Assert.Null(await store.GetAsync("x", Cancel));
    }

    public static TheoryData<WireFault> Faults() => new(Enum.GetValues<WireFault>());

    private readonly Queue<WireFault> plan = [];
    private bool breaking;

    private void StartBreaking() => breaking = true;

    private WireTransport Plan(params WireFault[] faults)
    {
        breaking = false;
        plan.Clear();
        foreach (WireFault fault in faults) plan.Enqueue(fault);
        return new WireTransport(Next);
    }

    private WireFault Next()
    {
        lock (plan) return breaking && plan.TryDequeue(out WireFault fault) ? fault : WireFault.None;
    }

    private async Task<AzureBlobObjectStore> OpenAsync(WireTransport wire)
    {
        BlobClientOptions options = AzureBlobObjectStore.ClientOptions();
        wire.Carry(options);
        return await AzureBlobObjectStore.OpenAsync(new BlobContainerClient(await azurite.ConnectAsync(Cancel), $"test-{Guid.NewGuid():N}", options), Cancel);
    }
}
