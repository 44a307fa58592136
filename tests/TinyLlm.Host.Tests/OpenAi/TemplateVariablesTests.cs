using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.OpenAi;

/// <summary>"chat_template_kwargs" reaches the model's template.</summary>
public sealed class TemplateVariablesTests(TestHostFixture fixture) : IClassFixture<TestHostFixture>
{
    private const int FirstByteId = 3;

    private const string Template = "{% if enable_thinking is defined and not enable_thinking %}quick {% else %}slow {% endif %}{{ style.tone | default('plain') }}: {{ messages[0].content }}";

    [Theory]
    [InlineData("""{"enable_thinking":false,"style":{"tone":"warm"}}""", "quick warm: hi")]
    [InlineData("""{"enable_thinking":true,"style":{"tone":"{{ messages }}"}}""", "slow {{ messages }}: hi")] // data, never a template
    [InlineData("""{"style":{}}""", "slow plain: hi")]
    public async Task Chat_TemplateVariables_AreInThePrompt(string variables, string prompt)
    {
        using HttpClient user = await fixture.Host.CreateUserAsync($"kwargs{Guid.NewGuid():N}"[..20]);
        Dictionary<string, byte[]> files = TinyModel.Files();
        files["chat_template.jinja"] = Encoding.UTF8.GetBytes(Template);
        await TestHost.PushAsync(user, "m", files);

        string body = $$"""{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":12,"temperature":0,"chat_template_kwargs":{{variables}}}""";
        using HttpResponseMessage chat = await user.PostAsync("/v1/chat/completions", new StringContent(body, Encoding.UTF8, "application/json"));
        Assert.True(chat.IsSuccessStatusCode, await chat.Content.ReadAsStringAsync());
        JsonElement answer = await TestHost.Json(chat);
        Assert.Equal(prompt.Length, answer.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());

        // The same ids as a plain prompt go on the same.
        int[] ids = [.. Encoding.UTF8.GetBytes(prompt).Select(value => value + FirstByteId)];
        using HttpResponseMessage plain = await user.PostAsJsonAsync("/v1/completions", new { model = "m", prompt = ids, max_tokens = 12, temperature = 0 });
        Assert.Equal(
            (await TestHost.Json(plain)).GetProperty("choices")[0].GetProperty("text").GetString(),
            answer.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString());
    }
}
