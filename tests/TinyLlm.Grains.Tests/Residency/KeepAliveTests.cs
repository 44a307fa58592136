using Microsoft.Extensions.Time.Testing;
using TinyLlm.Grains.Residency;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests.Residency;

/// <summary>How long models stay, by a clock that the test moves.</summary>
public sealed class KeepAliveTests
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Model_WithAKeepAlive_GoesWhenItsTimeIsOver_AndNotBefore()
    {
        await using TestHost host = New(models: 4);
        VersionAddress[] models = await host.StoreAsync(2);
        await UseAsync(host, models[0], Asked(KeepAlive.For(10 * s_minute)));
        await UseAsync(host, models[1], Stay.Unsaid);
        Assert.Equal(_time.GetUtcNow() + 10 * s_minute, Report(host, models[0]).ExpiresAt);
        Assert.Null(Report(host, models[1]).ExpiresAt);

        _time.Advance(9 * s_minute);
        await UseAsync(host, models[0], Stay.Unsaid); // it counts from the last use, and a request that says nothing changes nothing
        _time.Advance(9 * s_minute);
        Assert.True(host.Host.IsResident(models[0].Version));
        Assert.Equal(_time.GetUtcNow() + s_minute, Report(host, models[0]).ExpiresAt);
        _time.Advance(s_minute);
        await GoneAsync(host, models[0]);

        _time.Advance(TimeSpan.FromDays(30));
        Assert.True(host.Host.IsResident(models[1].Version));
        await Eventually.TrueAsync(() => host.Loop.Budget.ReservedBytes == TinyModel.WeightBytes && host.Device.LiveTensors == 1);
    }

    [Fact]
    public async Task Model_WithZero_GoesWithItsLastAnswer()
    {
        await using TestHost host = New(models: 2);
        VersionAddress model = await host.StoreAsync();
        ResidentHold other = await host.Host.AcquireAsync(model, Stay.Unsaid, TestContext.Current.CancellationToken);
        await UseAsync(host, model, Asked(KeepAlive.For(TimeSpan.Zero)));
        _time.Advance(s_minute);
        Assert.True(host.Host.IsResident(model.Version)); // the other still uses it
        Assert.Null(Report(host, model).ExpiresAt);
        other.Dispose();
        _time.Advance(TimeSpan.FromTicks(1)); // fake timers ring when the clock moves
        await GoneAsync(host, model);
    }

    [Fact]
    public async Task Model_WhileItIsUsed_DoesNotExpire()
    {
        await using TestHost host = New(models: 2);
        VersionAddress model = await host.StoreAsync();
        await UseAsync(host, model, Asked(KeepAlive.For(s_minute)));
        using (await host.Host.AcquireAsync(model, Stay.Unsaid, TestContext.Current.CancellationToken))
        {
            _time.Advance(TimeSpan.FromHours(1));
            Assert.True(host.Host.IsResident(model.Version));
        }
        _time.Advance(s_minute);
        await GoneAsync(host, model);
    }

    [Fact]
    public async Task Setting_Changed_CountsFromTheNextRequest_AndARequestsOwnWishBeforeIt()
    {
        await using TestHost host = New(models: 2, new ResidencyOptions { KeepAlive = 5 * s_minute, MaxKeepAlive = TimeSpan.FromHours(1) });
        VersionAddress model = await host.StoreAsync();
        await UseAsync(host, model, Stay.Unsaid);
        Assert.Equal(_time.GetUtcNow() + 5 * s_minute, Report(host, model).ExpiresAt); // the host's own
        await UseAsync(host, model, new Stay(null, KeepAlive.For(7 * s_minute), 0));
        Assert.Equal(_time.GetUtcNow() + 7 * s_minute, Report(host, model).ExpiresAt);
        await UseAsync(host, model, new Stay(KeepAlive.For(2 * s_minute), KeepAlive.For(7 * s_minute), 0));
        Assert.Equal(_time.GetUtcNow() + 2 * s_minute, Report(host, model).ExpiresAt);
        await UseAsync(host, model, Asked(KeepAlive.For(TimeSpan.FromDays(9))));
        Assert.Equal(_time.GetUtcNow() + TimeSpan.FromHours(1), Report(host, model).ExpiresAt); // the host's bound
    }

    [Fact]
    public async Task Pinned_IsNotEvicted_AndNeverTakesMoreThanItsShare()
    {
        await using TestHost host = New(models: 4);
        VersionAddress[] models = await host.StoreAsync(10);
        // Two of four places may be pinned, whoever asks.
        foreach (VersionAddress model in models[..3]) await UseAsync(host, model, Pin(long.MaxValue));
        Assert.Equal([true, true, false], models[..3].Select(model => Report(host, model).Pinned));

        foreach (VersionAddress model in models[3..]) await UseAsync(host, model, Stay.Unsaid);
        _time.Advance(TimeSpan.FromDays(365));
        Assert.Equal([true, true, false], models[..3].Select(model => host.Host.IsResident(model.Version)));
        Assert.Equal(4, host.Host.Snapshot().Models);

        await UseAsync(host, models[0], Asked(KeepAlive.For(TimeSpan.Zero))); // its owner lets it go
        _time.Advance(TimeSpan.FromTicks(1));
        await GoneAsync(host, models[0]);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    public async Task Pin_IsBoundedByWhatTheOwnerMay(int models, bool expected)
    {
        await using TestHost host = New(models: 4);
        VersionAddress model = await host.StoreAsync();
        await UseAsync(host, model, Pin(models * TinyModel.WeightBytes));
        Assert.Equal(expected, Report(host, model).Pinned);
        Assert.Null(Report(host, model).ExpiresAt); // without the right to it, it stays until its room is needed
    }

    [Fact]
    public async Task Silo_WithEveryPlacePinnedThatMayBe_StillServesOthers()
    {
        await using TestHost host = New(models: 2);
        VersionAddress[] models = await host.StoreAsync(5);
        foreach (VersionAddress model in models[..2]) await UseAsync(host, model, Pin(long.MaxValue));
        foreach (VersionAddress model in models[2..]) await UseAsync(host, model, Stay.Unsaid);
        Assert.True(host.Host.IsResident(models[0].Version));
    }

    private static Stay Asked(KeepAlive keepAlive) => new(keepAlive, null, 0);

    private static Stay Pin(long bytes) => new(KeepAlive.Pinned, null, bytes);

    private TestHost New(int models, ResidencyOptions? options = null) => new(models * TinyModel.WeightBytes, residency: options, time: _time);

    private static async Task UseAsync(TestHost host, VersionAddress model, Stay stay) =>
        (await host.Host.AcquireAsync(model, stay, TestContext.Current.CancellationToken)).Dispose();

    private static ResidentReport Report(TestHost host, VersionAddress model) => host.Host.Describe().Models.Single(report => report.Version == model.Version);

    private static Task GoneAsync(TestHost host, VersionAddress model) => Eventually.TrueAsync(() => !host.Host.IsResident(model.Version));
}
