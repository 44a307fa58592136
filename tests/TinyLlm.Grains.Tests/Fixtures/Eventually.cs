namespace TinyLlm.Grains.Tests;

/// <summary>Waits for what another thread will surely do, where nothing signals that it did.</summary>
internal static class Eventually
{
    /// <summary>No machine is so slow: what takes longer hangs.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(3);

    /// <summary>Returns as soon as <paramref name="condition"/> holds; fails when it never does.</summary>
    public static Task TrueAsync(Func<bool> condition) => TrueAsync(() => Task.FromResult(condition()));

    /// <summary>Returns as soon as <paramref name="condition"/> holds; fails when it never does.</summary>
    public static async Task TrueAsync(Func<Task<bool>> condition)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(s_patience);
        while (!await condition())
        {
            Assert.False(patience.IsCancellationRequested, "the condition never held");
            await Task.Yield();
        }
    }
}
