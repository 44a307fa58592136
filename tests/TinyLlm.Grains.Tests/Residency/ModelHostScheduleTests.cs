using TinyLlm.Engine;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Residency;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests.Residency;

/// <summary>Random schedules of acquiring, generating, cancelling and letting go, with what must hold at any moment and at the end.</summary>
public sealed class ModelHostScheduleTests
{
    private const int Workers = 8, Steps = 40;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task AnySchedule_KeepsTheBudgetAndEndsClean(int seed)
    {
        long weights = TinyModel.WeightBytes;
        await using TestHost host = new((3 * weights) + 150);
        VersionAddress[] models = await host.StoreAsync(6);

        int[] served = await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(() => WorkAsync(host, models, new Random((seed * 100) + worker)))));

        Assert.All(served, count => Assert.True(count > 0));
        await Eventually.TrueAsync(() => host.Host.Snapshot() is { Holds: 0, Running: 0, Waiting: 0 });
        ResidencySnapshot end = host.Host.Snapshot();
        Assert.InRange(end.Models, 1, 3);
        await host.Loop.ForgetAsync("caller"); // what the prefix cache kept is reserved too
        // An eviction that a waiting cache asked for may still be under way, or a load that nobody waits for any more.
        await Eventually.TrueAsync(() => host.Host.Snapshot().Models is var left && host.Loop.Budget.ReservedBytes == left * weights && host.Device.LiveTensors == left);
    }

    /// <summary>How many requests were served.</summary>
    private static async Task<int> WorkAsync(TestHost host, VersionAddress[] models, Random random)
    {
        int served = 0;
        for (int step = 0; step < Steps; step++)
        {
            Assert.InRange(host.Loop.Budget.ReservedBytes, 0, host.Loop.Budget.LimitBytes);
            using CancellationTokenSource gone = new();
            Task<ResidentHold> acquiring = host.Host.AcquireAsync(models[random.Next(models.Length)], gone.Token);
            if (random.Next(8) == 0) await gone.CancelAsync();
            try
            {
                using ResidentHold hold = await acquiring;
                await UseAsync(hold, random);
                served++;
            }
            catch (RequestException refusal) when (refusal.Error == RequestError.NoCapacity)
            {
                Assert.NotNull(refusal.RetryAfter);
            }
            catch (OperationCanceledException) when (gone.IsCancellationRequested)
            {
                // It gave up before the model was there.
            }
        }
        return served;
    }

    private static async Task UseAsync(ResidentHold hold, Random random)
    {
        int kind = random.Next(4), tokens = random.Next(1, 60);
        if (kind == 0) return; // held and let go, without a generation
        Generation generation = hold.Start(TestHost.Request(1, tokens))[0];
        if (kind == 1) return; // let go while it waits or runs
        int read = 0;
        await foreach (GeneratedToken _ in generation.Tokens.ReadAllAsync())
        {
            if (++read == 3 && kind == 2) return;
        }
        Assert.Equal((FinishReason.Length, tokens, read), ((await generation.Completion).Reason, (await generation.Completion).CompletionTokens, tokens));
    }
}
