using System.Text;
using TinyLlm.Grains.Sessions;

namespace TinyLlm.Host.OpenAi;

/// <summary>One choice of an answer that is collected before it is written.</summary>
internal sealed class WholeChoice
{
    public StringBuilder Text { get; } = new();

    public List<int> Ids { get; } = [];

    public List<SessionLogprob> Logprobs { get; } = [];

    /// <summary>Null: as the whole answer ended.</summary>
    public SessionEnd? End { get; set; }

    public void Add(SessionDelta delta)
    {
        Text.Append(delta.Text);
        Ids.AddRange(delta.Ids);
        Logprobs.AddRange(delta.Logprobs);
    }
}
