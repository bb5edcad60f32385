import { Button, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconAlertTriangle, IconPhone } from "@tabler/icons-react";
import { Sheet } from "../shared/Sheet";
import { words } from "../shared/words";
import { useAdmitted } from "./context";

/** The emergency call: two touches, so that it is neither slow nor an accident. */
export function Emergency() {
  const { here, call } = useAdmitted();
  const [asking, { open, close }] = useDisclosure();
  if (here.site.emergency.length === 0) return null;
  return (
    <>
      <Button
        variant="outline"
        className="emergency"
        size="lg"
        fullWidth
        leftSection={<IconAlertTriangle size={20} aria-hidden />}
        onClick={open}
      >
        {words.emergency.button}
      </Button>
      <Sheet opened={asking} onClose={close} title={words.emergency.title}>
        <Stack>
          <Text>{words.emergency.text}</Text>
          {here.site.emergency.map((n) => (
            <Button
              key={n}
              size="xl"
              className="go-stop"
              leftSection={<IconPhone size={24} aria-hidden />}
              onClick={() => {
                close();
                call(n);
              }}
            >
              {words.emergency.call(n)}
            </Button>
          ))}
          <Button variant="default" onClick={close}>
            {words.cancel}
          </Button>
        </Stack>
      </Sheet>
    </>
  );
}
