namespace TinyLlm.Grains.Tests;

/// <summary>Waits for what another thread will surely do, where nothing signals that it did.</summary>
internal static class Eventually
{
    /// <summary>Returns as soon as <paramref name="condition"/> holds; fails when it never does.</summary>
    public static Task TrueAsync(Func<bool> condition) => TrueAsync(() => Task.FromResult(condition()));

    /// <summary>Returns as soon as <paramref name="condition"/> holds; fails when it never does.</summary>
    public static async Task TrueAsync(Func<Task<bool>> condition)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(20));
        while (!await condition())
        {
            Assert.False(patience.IsCancellationRequested, "the condition never held");
            await Task.Yield();
        }
    }
}
