using TinyLlm.Engine;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Residency;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests.Residency;

/// <summary>Copies in the machine's memory, beside a simulated device that has memory of its own.</summary>
public sealed class HostTierTests(Azurite azurite)
{
    private static readonly long s_weights = TinyModel.WeightBytes;

    /// <summary>A copy is the whole file: its header too.</summary>
    private static readonly long s_copy = TinyModel.Files["model.safetensors"].Length;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Evicted_ComesBackWithoutAReadOfTheStore(bool encrypted)
    {
        RequestLog log = new();
        await using TestHost host = New(copies: 3, encrypted, await log.OpenStoreAsync(azurite));
        VersionAddress[] models = await host.StoreAsync(3);
        foreach (VersionAddress model in models) await host.TouchAsync(model); // room for one: each drives out the one before
        Assert.Equal(3 * s_copy, host.Host.Describe().HostBytes);
        log.Reads.Clear();

        foreach (VersionAddress model in models)
        {
            using ResidentHold hold = await host.Host.AcquireAsync(model, Cancel);
            Assert.Equal(FinishReason.Length, (await hold.Start(TestHost.Request(4, 3))[0].Completion).Reason);
        }

        Assert.Empty(log.Reads);
        await host.Loop.ForgetAsync("caller");
        Assert.Equal((1, s_weights), (host.Host.Snapshot().Models, host.Host.Snapshot().ReservedBytes));
    }

    [Fact]
    public async Task Copies_BeyondTheirBudget_DriveOutTheLeastUsed()
    {
        await using TestHost host = New(copies: 2);
        VersionAddress[] models = await host.StoreAsync(3);
        for (int i = 0; i < 3; i++) await host.TouchAsync(models[0]);
        await host.TouchAsync(models[1]);
        await host.TouchAsync(models[0]); // from its copy, which that counts for
        await host.TouchAsync(models[2]);
        Assert.Equal(2 * s_copy, host.Host.Describe().HostBytes);
        await host.TouchAsync(models[1]); // drives out the third's copy from the device, and is read again

        Assert.True(await host.IsResidentAsync(models[0])); // without its files, it is there from its copy
    }

    [Fact]
    public async Task DeviceOfTheMachinesOwnMemory_KeepsNoCopy()
    {
        await using TestHost host = new(s_weights, residency: new ResidencyOptions { HostBudgetBytes = 1 << 20 });
        VersionAddress[] models = await host.StoreAsync(2);
        foreach (VersionAddress model in models) await host.TouchAsync(model);
        Assert.Equal((0, 0), (host.Host.Describe().HostBudgetBytes, host.Host.Describe().HostBytes));
        Assert.False(await host.IsResidentAsync(models[0]));
    }

    [Fact]
    public async Task Drop_TakesTheCopiesToo_AndAMeasureCountsThem()
    {
        await using TestHost host = New(copies: 3);
        VersionAddress[] models = await host.StoreAsync(2);
        foreach (VersionAddress model in models) await host.TouchAsync(model); // the first is only a copy now
        ResidentBytes measured = await host.Host.MeasureAsync(models[0].Owner);
        Assert.Equal((0, 0L, s_copy), (measured.Models, measured.Bytes, measured.HostBytes));

        await host.Files.DeleteAsync(models[0].Owner, models[0].Version, Cancel);
        await host.Host.DropAsync(models[0].Owner, [models[0].Version]);

        Assert.Equal(ResidentBytes.None, await host.Host.MeasureAsync(models[0].Owner));
        Assert.Equal(s_copy, host.Host.Describe().HostBytes);
        RequestException refusal = await Assert.ThrowsAsync<RequestException>(() => host.TouchAsync(models[0]));
        Assert.Equal(RequestError.NotFound, refusal.Error);
    }

    [Fact]
    public async Task LoadThatTheStoreHolds_BlocksNoSessionOfAResidentModel()
    {
        RequestLog log = new();
        await using TestHost host = new(3 * s_weights, encrypted: true, await log.OpenStoreAsync(azurite), device: "cuda");
        VersionAddress[] models = await host.StoreAsync(2);
        using ResidentHold resident = await host.Host.AcquireAsync(models[0], Cancel);
        log.HeldPath = models[1].Version.Value;
        using CancellationTokenSource gaveUp = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        Task<ResidentHold> loading = host.Host.AcquireAsync(models[1], gaveUp.Token);
        await log.Reached.Task.WaitAsync(Cancel);

        Assert.Equal((FinishReason.Length, 40), ((await resident.Start(TestHost.Request(1, 40))[0].Completion).Reason, 40));
        using (ResidentHold another = await host.Host.AcquireAsync(models[0], Cancel)) Assert.Same(resident.Model, another.Model);

        Assert.False(loading.IsCompleted);
        await gaveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loading);
        host.Host.Dispose(); // ends the load
    }

    private static TestHost New(int copies, bool encrypted = false, Storage.ObjectStore? store = null) =>
        new(s_weights + 100, encrypted, store, new ResidencyOptions { HostBudgetBytes = copies * s_copy }, device: "cuda");
}
