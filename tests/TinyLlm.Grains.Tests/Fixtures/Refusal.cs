using TinyLlm.Grains.Errors;

namespace TinyLlm.Grains.Tests;

/// <summary>Expects a call to be refused with one member of the closed set.</summary>
internal static class Refusal
{
    public static async Task<RequestException> OfAsync(RequestError error, Func<Task> call)
    {
        RequestException refusal = await Assert.ThrowsAsync<RequestException>(call);
        Assert.Equal(error, refusal.Error);
        return refusal;
    }

    /// <summary>Everything that a caller can see of it.</summary>
    public static (RequestError, string?, string, string?, string?, string?, TimeSpan?) Seen(RequestException refusal) =>
        (refusal.Error, refusal.Detail, refusal.Message, refusal.Parameter, refusal.FileName, refusal.Tensor, refusal.RetryAfter);
}
