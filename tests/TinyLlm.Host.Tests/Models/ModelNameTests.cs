using System.Net;
using TinyLlm.Grains.Errors;
using TinyLlm.Host.Models;

namespace TinyLlm.Host.Tests.Models;

public sealed class ModelNameTests(TestHostFixture fixture) : IClassFixture<TestHostFixture>
{
    [Fact]
    public void Parse_ThreeForms()
    {
        Assert.Equal(new ModelName(null, "stories", null), ModelName.Parse("stories"));
        Assert.Equal(new ModelName("alice", "stories", null), ModelName.Parse("alice/stories"));
        Assert.Equal(new ModelName("alice", "stories", 3), ModelName.Parse("alice/stories@3"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("a/b/c")]
    [InlineData("../b")]
    [InlineData("a/..")]
    [InlineData("a/b@")]
    [InlineData("a/b@-1")]
    [InlineData("a/b@1@2")]
    [InlineData("a/b@99999999999")]
    [InlineData("a/b\n")]
    [InlineData("a/con")]
    [InlineData("a/b.")]
    public void Parse_WhatIsNoName_IsAnsweredAsMissing(string text)
    {
        RequestException refusal = Assert.Throws<RequestException>(() => ModelName.Parse(text));
        Assert.Equal(RequestError.NotFound, refusal.Error);
        Assert.Equal(RequestException.NotFound("model").Message, refusal.Message);
    }

    [Fact]
    public async Task Path_IsDecodedExactlyOnce()
    {
        using HttpClient user = await fixture.Host.CreateUserAsync("decode");
        await TestHost.PushAsync(user, "m");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(user, "/v1/models/decode/m"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(user, "/v1/models/decode%2Fm"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(user, "/v1/models/decode%2fm%401"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(user, "/v1/models/decode%252Fm"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(user, "/v1/models/..%2fdecode%2fm"));
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string path)
    {
        // A Uri would tidy the path; this one goes out as it is written.
        using HttpRequestMessage request = new(HttpMethod.Get, new Uri(client.BaseAddress!.GetLeftPart(UriPartial.Authority) + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        using HttpResponseMessage response = await client.SendAsync(request);
        return response.StatusCode;
    }
}
