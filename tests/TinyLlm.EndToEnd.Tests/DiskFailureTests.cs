using System.Net;
using System.Net.Http.Headers;
using TinyLlm.EndToEnd.Tests.Harness;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests;

/// <summary>A disk that fails for longer than a few repeats take.</summary>
public sealed class DiskFailureTests
{
    [Fact]
    public async Task DiskTakesNoWrites_WhatWrites_Answers503AndGoesOnWithTheDisk()
    {
        await using RunningHost host = new();
        using SmallDisk disk = SmallDisk.Mount(Path.Combine(host.DataFolder, "objects"), megabytes: 32);
        await host.StartAsync();
        using UserClient alice = await UserClient.CreateAsync(host, "alice");
        await alice.UploadAsync("kept", TinyModel.Files());
        string text = await alice.CompleteAsync("kept", "Say", 4);
        string upload = await alice.BeginUploadAsync("next");
        await PutAsync(alice, upload, "README.md", [1, 2, 3], HttpStatusCode.OK);

        // 1. The disk takes no write: what writes is refused, and what only reads goes on.
        disk.Protect();
        await PutAsync(alice, upload, "config.json", TinyModel.Files()["config.json"], HttpStatusCode.ServiceUnavailable);
        using (HttpResponseMessage commit = await alice.SendAsync(HttpMethod.Post, $"api/models/next/uploads/{upload}/commit"))
            Assert.Equal((HttpStatusCode.ServiceUnavailable, true), (commit.StatusCode, commit.Headers.RetryAfter is not null));
        Assert.Equal(text, await alice.CompleteAsync("kept", "Say", 4));
        using (HttpResponseMessage file = await alice.SendAsync(HttpMethod.Get, "api/models/alice/kept/versions/1/files/config.json"))
            Assert.Equal(TinyModel.Files()["config.json"], await file.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));

        // 2. The same upload goes on, and what was acknowledged before is part of it.
        disk.Unprotect();
        foreach ((string name, byte[] bytes) in TinyModel.Files()) await PutAsync(alice, upload, name, bytes, HttpStatusCode.OK);
        using (HttpResponseMessage commit = await alice.SendAsync(HttpMethod.Post, $"api/models/next/uploads/{upload}/commit"))
            Assert.Equal(HttpStatusCode.Created, commit.StatusCode);
        using HttpResponseMessage readme = await alice.SendAsync(HttpMethod.Get, "api/models/alice/next/versions/1/files/README.md");
        Assert.Equal([1, 2, 3], await readme.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.Equal(text, await alice.CompleteAsync("next", "Say", 4));
    }

    private static async Task PutAsync(UserClient user, string upload, string file, byte[] bytes, HttpStatusCode expected)
    {
        using HttpResponseMessage answer = await user.SendAsync(HttpMethod.Put, $"api/models/next/uploads/{upload}/files/{file}", new ByteArrayContent(bytes));
        string body = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.StatusCode == expected, $"{file}: {answer.StatusCode} {body}");
        if (expected != HttpStatusCode.ServiceUnavailable) return;
        Assert.Contains("storage_unavailable", body, StringComparison.Ordinal);
        Assert.IsType<RetryConditionHeaderValue>(answer.Headers.RetryAfter);
    }
}
