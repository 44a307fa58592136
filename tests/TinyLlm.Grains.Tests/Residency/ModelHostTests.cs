using TinyLlm.Engine;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Residency;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests.Residency;

public sealed class ModelHostTests
{
    private static readonly long s_weights = TinyModel.WeightBytes;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Acquire_TwoHundredAtOnce_LoadsOnce()
    {
        await using TestHost host = new(10 * s_weights);
        VersionAddress address = await host.StoreAsync();

        ResidentHold[] holds = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Task.Run(() => host.Host.AcquireAsync(address, Cancel), Cancel)));

        Assert.All(holds, hold => Assert.Same(holds[0].Model, hold.Model));
        Assert.Equal(1, host.Device.LiveTensors);
        Assert.Equal((1, 200, s_weights), (host.Host.Snapshot().Models, host.Host.Snapshot().Holds, host.Host.Snapshot().ReservedBytes));
        foreach (ResidentHold hold in holds)
        {
            hold.Dispose();
            hold.Dispose(); // a second time it does nothing
        }
        Assert.Equal((1, 0), (host.Host.Snapshot().Models, host.Host.Snapshot().Holds));
    }

    [Fact]
    public async Task Acquire_OneWaiterGivesUp_OthersGetTheLoad()
    {
        await using TestHost host = new(10 * s_weights);
        VersionAddress[] models = await host.StoreAsync(2);
        using ResidentHold busy = await host.Host.AcquireAsync(models[0], Cancel);
        host.Device.Hold();
        Generation generation = busy.Start(TestHost.Request(1, 1))[0];
        host.Device.NextStep(Cancel); // the device's thread stands still, and so does every load

        using CancellationTokenSource gone = new();
        Task<ResidentHold> cancelled = host.Host.AcquireAsync(models[1], gone.Token), waiting = host.Host.AcquireAsync(models[1], Cancel);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.False(waiting.IsCompleted);
        Assert.Equal(2, host.Host.Snapshot().Holds);
        host.Device.Open();

        using ResidentHold hold = await waiting;
        await generation.Completion;
        Assert.Equal(2, host.Device.LiveTensors);
        Assert.Equal(2, host.Host.Snapshot().Models);
    }

    [Fact]
    public async Task Acquire_EveryWaiterGivesUp_TheLoadedModelIsIdle()
    {
        await using TestHost host = new((2 * s_weights) + 1); // and a cache of one token
        VersionAddress[] models = await host.StoreAsync(3);
        ResidentHold busy = await host.Host.AcquireAsync(models[0], Cancel);
        host.Device.Hold();
        Generation generation = busy.Start(TestHost.Request(1, 1))[0];
        host.Device.NextStep(Cancel);
        using CancellationTokenSource gone = new();
        Task<ResidentHold> cancelled = host.Host.AcquireAsync(models[1], gone.Token);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);

        host.Device.Open();
        await generation.Completion;
        await Eventually.TrueAsync(() => host.Host.Snapshot().Models == 2);

        Assert.Equal((1, 2 * s_weights), (host.Host.Snapshot().Holds, host.Host.Snapshot().ReservedBytes));
        await host.TouchAsync(models[2]); // there is room only in the place of the one that nobody waited for
        busy.Dispose();
    }

    [Fact]
    public async Task Acquire_ThirdModelOfTwoThatFit_EvictsTheLeastRecentlyUsed()
    {
        await using TestHost host = new(3 * s_weights - 1);
        VersionAddress[] models = await host.StoreAsync(3);
        await host.TouchAsync(models[0]);
        await host.TouchAsync(models[1]);
        await host.TouchAsync(models[0]);

        await host.TouchAsync(models[2]);

        Assert.Equal((2, 2 * s_weights), (host.Host.Snapshot().Models, host.Host.Snapshot().ReservedBytes));
        Assert.Equal(2, host.Device.LiveTensors);
        Assert.True(await host.IsResidentAsync(models[0]));
        Assert.False(await host.IsResidentAsync(models[1]));
        Assert.True(await host.IsResidentAsync(models[2]));
    }

    [Fact]
    public async Task Acquire_EverythingHeld_IsRefusedUntilOneIsIdle()
    {
        await using TestHost host = new(2 * s_weights);
        VersionAddress[] models = await host.StoreAsync(3);
        ResidentHold first = await host.Host.AcquireAsync(models[0], Cancel);
        using ResidentHold second = await host.Host.AcquireAsync(models[1], Cancel);

        RequestException refusal = await Refusal.OfAsync(RequestError.NoCapacity, () => host.TouchAsync(models[2]));
        Assert.True(refusal.RetryAfter > TimeSpan.Zero);
        Assert.Equal((2, 2, 2 * s_weights), (host.Host.Snapshot().Models, host.Host.Snapshot().Holds, host.Host.Snapshot().ReservedBytes));
        first.Dispose();
        await host.TouchAsync(models[2]);

        Assert.True(await host.IsResidentAsync(models[1]));
        Assert.False(await host.IsResidentAsync(models[0]));
    }

    [Fact]
    public async Task Acquire_LargerThanTheBudget_IsRefusedForGood()
    {
        await using TestHost host = new(s_weights - 1);
        RequestException refusal = await Refusal.OfAsync(RequestError.NoCapacity, async () => await host.TouchAsync(await host.StoreAsync()));
        Assert.Null(refusal.RetryAfter);
        Assert.Equal((0, 0, 0L), (host.Host.Snapshot().Models, host.Host.Snapshot().Holds, host.Host.Snapshot().ReservedBytes));
    }

    [Fact]
    public async Task Acquire_ManifestOfAnotherDigest_FailsAndIsForgotten()
    {
        await using TestHost host = new(2 * s_weights);
        VersionAddress address = await host.StoreAsync();

        await Refusal.OfAsync(RequestError.ModelDamaged, () => host.TouchAsync(address with { ManifestDigest = new string('0', 64) }));
        Assert.Equal((0, 0, 0L), (host.Host.Snapshot().Models, host.Host.Snapshot().Holds, host.Host.Snapshot().ReservedBytes));

        await host.TouchAsync(address);
        await Refusal.OfAsync(RequestError.NotFound, () => host.TouchAsync(address with { ManifestDigest = new string('0', 64) })); // though it is resident
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("config.json")]
    [InlineData("tokenizer.json")]
    public async Task Acquire_DamagedFile_FailsAndLoadsOnceItIsMended(string file)
    {
        await using TestHost host = new(2 * s_weights);
        VersionAddress address = await host.StoreAsync();
        string path = Path.Combine(host.Files.TryGetLocalFolder(address.Owner, address.Version)!, file);
        byte[] whole = await File.ReadAllBytesAsync(path, Cancel);
        await File.WriteAllBytesAsync(path, whole.AsMemory(0, whole.Length / 2), Cancel);

        await Refusal.OfAsync(RequestError.ModelDamaged, () => host.TouchAsync(address));
        await Refusal.OfAsync(RequestError.ModelDamaged, () => host.TouchAsync(address));
        Assert.Equal((0, 0, 0L, 0L), (host.Host.Snapshot().Models, host.Host.Snapshot().Holds, host.Host.Snapshot().ReservedBytes, host.Device.LiveTensors));
        await File.WriteAllBytesAsync(path, whole, Cancel);

        await host.TouchAsync(address);
        Assert.Equal((1, s_weights), (host.Host.Snapshot().Models, host.Host.Snapshot().ReservedBytes));
    }

    [Fact]
    public async Task Release_WhileTheEngineStillRuns_KeepsTheModel()
    {
        await using TestHost host = new(s_weights + 10);
        VersionAddress[] models = await host.StoreAsync(2);
        ResidentHold hold = await host.Host.AcquireAsync(models[0], Cancel);
        host.Device.Hold();
        Generation generation = hold.Start(TestHost.Request(1, 5))[0];
        host.Device.NextStep(Cancel);

        hold.Dispose();

        Assert.Equal(1, host.Host.Snapshot().Holds);
        await Refusal.OfAsync(RequestError.NoCapacity, () => host.TouchAsync(models[1]));
        host.Device.Open();
        Assert.Equal(FinishReason.Cancelled, (await generation.Completion).Reason);
        await Eventually.TrueAsync(() => host.Host.Snapshot().Holds == 0);
        await host.TouchAsync(models[1]);
    }

    /// <summary>The bytes lacking were compared with the free ones once more, so with enough free bytes nothing went, and the sequence waited in vain.</summary>
    [Fact]
    public async Task Starved_CacheLacksLessThanIsFree_EvictsAnIdleModel()
    {
        await using TestHost host = new((2 * s_weights) + 40);
        VersionAddress[] models = await host.StoreAsync(2);
        await host.TouchAsync(models[0]);
        using ResidentHold hold = await host.Host.AcquireAsync(models[1], Cancel);

        Generation generation = hold.Start(TestHost.Request(4, 57))[0]; // 60 tokens of one byte: 20 more than are free

        GenerationEnd end = await generation.Completion.WaitAsync(TimeSpan.FromMinutes(3), Cancel);
        Assert.Equal((FinishReason.Length, 57), (end.Reason, end.CompletionTokens));
        await host.Loop.ForgetAsync("caller"); // what the prefix cache kept of it is reserved too
        Assert.Equal((1, s_weights), (host.Host.Snapshot().Models, host.Host.Snapshot().ReservedBytes));
        Assert.False(await host.IsResidentAsync(models[0]));
    }

    /// <summary>A load that began while another was evicting found neither idle models nor free bytes, and was refused.</summary>
    [Fact]
    public async Task Acquire_SeveralLoadsEvictAtOnce_AllFindRoom()
    {
        await using TestHost host = new(4 * s_weights);
        VersionAddress[] models = await host.StoreAsync(8);
        for (int round = 0; round < 20; round++)
        {
            VersionAddress[] half = models[(round % 2 * 4)..(round % 2 * 4 + 4)];
            ResidentHold[] holds = await Task.WhenAll(half.Select(model => Task.Run(() => host.Host.AcquireAsync(model, Cancel), Cancel)));
            Assert.Equal((4, 4, 4 * s_weights), (host.Host.Snapshot().Models, host.Host.Snapshot().Holds, host.Host.Snapshot().ReservedBytes));
            foreach (ResidentHold hold in holds) hold.Dispose();
        }
        Assert.Equal(4, host.Device.LiveTensors);
    }
}
