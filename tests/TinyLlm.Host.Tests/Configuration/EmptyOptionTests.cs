using System.Net;
using TinyLlm.Host.Configuration;

namespace TinyLlm.Host.Tests.Configuration;

/// <summary>
/// A manifest names every option, and writes nothing where there is nothing to say. A host whose list of origins was empty, rather than not set, took it for a list and ended
/// while it built its pipeline.
/// </summary>
public sealed class EmptyOptionTests
{
    [Fact]
    public async Task Start_OptionsWithoutADefaultEmpty_Serves()
    {
        string[] empty = [.. OptionTable.All.Where(option => option.Default.Length == 0 && option.Key != "TinyLlm:BudgetBytes") // TestHost gives it a value
            .SelectMany(option => (string[])[$"--{option.Key}", ""])];
        Assert.InRange(empty.Length, 20, int.MaxValue);

        await using TestHost host = await TestHost.StartAsync(settings: empty);

        using HttpResponseMessage answer = await host.Anonymous.GetAsync("/healthz/ready", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }
}
