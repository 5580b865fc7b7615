// Clients of Apollo, as its documentation has it for subscriptions: a link of graphql-ws. URL COUNT. They try as often as it takes,
// which is not the default.

import { ApolloClient, gql, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { createClient } from "graphql-ws";
import { WebSocket } from "ws";
import { crowd, Seen } from "./parts.mjs";

const [url, count] = process.argv.slice(2);
const query = gql("subscription { number }");

function member() {
  const seen = new Seen();
  const link = createClient({
    url: `${url.replace("http", "ws")}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
  });
  link.on("connected", () => seen.opened());
  link.on("closed", () => seen.closed());
  const client = new ApolloClient({ link: new GraphQLWsLink(link), cache: new InMemoryCache() });
  client.subscribe({ query }).subscribe({ next: ({ data }) => data && seen.tick(Number(data.number)) });
  return seen;
}

crowd(Array.from({ length: Number(count) }, member));
